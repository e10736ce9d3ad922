// Remove Caller: tells Onhook to take one person out of a Genesys Cloud conversation. Written by `onhook init`.
//
// Where it goes: a UI Action on your table (Client unchecked), or the script of an asynchronous business rule.
// What to change: the lines under "from this record". The secret is as good as a password: keep the script
// readable for administrators only, or move the secret into a password2 property and read it from there.
(function removeCaller() {
    var ADDRESS = {{url}};
    var SECRET = {{secret}}; // base64, as generateMac takes it: the source's secret without whsec_

    // from this record: the conversation's id (OpenFrame's clientSessionId, a screen pop, …) and who is meant
    var conversation = String(current.getValue('u_genesys_conversation_id') || '');
    var phone = String(current.getValue('u_caller_phone') || '');
    var participant = ''; // instead of the phone, where the record has the participant's id

    var event = {
        type: 'caller.remove',
        timestamp: new GlideDateTime().getValue().replace(' ', 'T') + 'Z', // of the click; GlideDateTime is in UTC
        data: {
            conversation_id: conversation,
            table: String(current.getTableName()),
            sys_id: String(current.getUniqueValue()),
            number: String(current.getValue('number') || ''),
            requested_by: String(gs.getUserName())
        }
    };
    if (participant) { event.data.participant_id = participant; } else { event.data.caller_phone = phone; }

    // plain ASCII, so that what is signed and what is sent are the same bytes whatever encodes them
    var body = JSON.stringify(event).replace(/[\u007f-\uffff]/g, function (one) {
        return '\\u' + ('0000' + one.charCodeAt(0).toString(16)).slice(-4);
    });
    var id = 'msg_' + gs.generateGUID(); // made once for a click: whoever repeats it sends the same id
    var stamp = String(Math.floor(new Date().getTime() / 1000));
    var mac = new GlideCertificateEncryption().generateMac(SECRET, 'HmacSHA256', id + '.' + stamp + '.' + body);
    if (!mac) { throw new Error('Remove Caller: ServiceNow could not sign; is the secret whole?'); }

    var request = new sn_ws.RESTMessageV2();
    request.disableForcedVariableSubstitution(); // else a ${…} in a text would be put in after it was signed
    request.setEndpoint(ADDRESS);
    request.setHttpMethod('POST');
    request.setRequestHeader('Content-Type', 'application/json');
    request.setRequestHeader('webhook-id', id);
    request.setRequestHeader('webhook-timestamp', stamp);
    request.setRequestHeader('webhook-signature', 'v1,' + mac);
    request.setHttpTimeout(10000);
    request.setRequestBody(body);
    var answer = request.execute();
    var status = answer.getStatusCode();
    // 202: taken, and kept; how it ended is written into the work notes
    if (status === 200 || status === 202) {
        gs.addInfoMessage('Remove Caller was asked for. How it ended will stand in the work notes.');
    } else {
        gs.addErrorMessage('Remove Caller was not taken (' + status + '): ' + String(answer.getBody()).slice(0, 300));
    }
    if (typeof action !== 'undefined') { action.setRedirectURL(current); } // a UI Action stays on its record
}());
