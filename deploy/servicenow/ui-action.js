// A UI Action "Remove Caller" on your table: a form button, Client unchecked. The agent waits, and is told.
// Made from service/wiring/templates/servicenow by: python -m tests.deploy.servicenow_kit
(function removeCaller() {
    new OnhookRemoval().click(current);
    if (typeof action !== 'undefined') {
        action.setRedirectURL(current); // a UI Action stays on its record
    }
}());
