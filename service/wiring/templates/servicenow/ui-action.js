(function removeCaller() {
    new OnhookRemoval().click(current);
    if (typeof action !== 'undefined') {
        action.setRedirectURL(current); // a UI Action stays on its record
    }
}());
