// A business rule on your table, asynchronous, on insert and update, where the field that means "remove the caller"
// changes to true (here u_remove_caller). For a field that an agent sets, or a flow; a button is a UI Action.
(function executeRule(current, previous) {
    // what our own user writes must not ask again
    if (String(current.getValue('sys_updated_by')) !== String(gs.getProperty('onhook.user', 'onhook'))) {
        new OnhookRemoval().changed(current);
    }
})(current, previous);
