// Remove Caller: tells Onhook to take one person out of a Genesys Cloud conversation. Written by `onhook init`.
//
// Where it goes: the whole of it into the script of a UI Action on your table (Client unchecked).
// What to change: the lines under WHAT TO CHANGE. The secret is as good as a password: keep the script readable for
// administrators only, or use the kit in deploy/servicenow, which keeps it in a property.
