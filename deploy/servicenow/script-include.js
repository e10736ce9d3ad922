// A Script Include named OnhookRemoval: asks for the removal of one person, and says truthfully what became of it.
// Made from service/wiring/templates/servicenow by: python -m tests.deploy.servicenow_kit
//
// Its secret stands in the property onhook.secret, the address in the REST message Onhook.
var OnhookRemoval = Class.create();
OnhookRemoval.prototype = {
    AGENT_SECONDS: 20, // as long as an agent sits before a form that does not move
    RULE_SECONDS: 90, // nobody sees a business rule wait
    LATEST_SECONDS: 110, // after the click; at 120 (max_age of the source) it is too late to remove anybody
    TRY_SECONDS: 10,
    ASKED: 'Remove Caller was asked for. How it ended will stand in the work notes.',
    NOT: 'NOT removed: remove by hand. ',
    PERHAPS: 'NOT known to be removed: look whether the caller is still there, and remove by hand. ',

    initialize: function () {},

    // WHAT TO CHANGE: where a record of yours holds the conversation's id, and how it names who is meant
    conversationOf: function (record) {
        return this._text(record, 'u_genesys_conversation_id'); // OpenFrame's clientSessionId, a screen pop, ...
    },
    personIn: function (record) {
        return { caller_phone: this._text(record, 'u_caller_phone') }; // or { participant_id: ... }, where it is known
    },

    address: function () {
        var ADDRESS = ''; // '' where the REST message has it
        return ADDRESS;
    },

    secret: function () {
        var SECRET = this._stored('onhook.secret'); // base64, as generateMac takes it: without whsec_
        return SECRET;
    },

    // A property of the type password2; whether a script gets it in plain text depends on the release.
    _stored: function (name) {
        var text = String(gs.getProperty(name) || '');
        if (text.indexOf('whsec_') !== 0) {
            try {
                text = String(new GlideEncrypter().decrypt(text));
            } catch (unreadable) {
                text = '';
            }
        }
        if (text.indexOf('whsec_') !== 0) {
            throw new Error('The property ' + name + ' holds no secret that begins with whsec_.');
        }
        return text.slice('whsec_'.length);
    },

    // A UI Action: the agent waits, and is told.
    click: function (record) {
        var now = new GlideDateTime();
        return this._remove(record, 'msg_' + gs.generateGUID(), now, String(gs.getUserName()), this.AGENT_SECONDS);
    },

    // An asynchronous business rule. It may run twice for one change, so the id and the time are the change's own.
    changed: function (record) {
        var id = 'msg_' + record.getUniqueValue() + '_' + this._text(record, 'sys_mod_count');
        var at = new GlideDateTime(this._text(record, 'sys_updated_on'));
        return this._remove(record, id, at, this._text(record, 'sys_updated_by'), this.RULE_SECONDS);
    },

    _remove: function (record, id, clicked, requester, patience) {
        var result;
        try {
            result = this._send(this._signed(this._event(record, clicked, requester), id, clicked), patience);
        } catch (error) {
            result = { accepted: false, unsure: false, why: String(error.message || error) };
        }
        if (result.accepted) {
            gs.addInfoMessage(this.ASKED);
        } else {
            this._say(record, (result.unsure ? this.PERHAPS : this.NOT) + result.why);
        }
        return result;
    },

    _event: function (record, clicked, requester) {
        var data = this.personIn(record);
        data.conversation_id = this.conversationOf(record);
        if (!data.conversation_id) {
            throw new Error('This record holds no id of a Genesys conversation.');
        }
        data.table = String(record.getTableName());
        data.sys_id = String(record.getUniqueValue());
        data.number = this._text(record, 'number');
        data.requested_by = requester;
        // of the click, in UTC; to the millisecond, or a second click may seem to come after the end of the first
        var fraction = ('00' + Number(clicked.getNumericValue()) % 1000).slice(-3);
        var at = String(clicked.getValue()).replace(' ', 'T') + '.' + fraction + 'Z';
        return { type: 'caller.remove', timestamp: at, data: data };
    },

    // Signed once for a click: whoever repeats it sends the same bytes under the same id, so it counts once.
    _signed: function (event, id, clicked) {
        // plain ASCII, so that what is signed and what is sent are the same bytes whatever encodes them
        var body = JSON.stringify(event).replace(/[\u007f-\uffff]/g, function (one) {
            return '\\u' + ('0000' + one.charCodeAt(0).toString(16)).slice(-4);
        });
        var at = Math.floor(Number(clicked.getNumericValue()) / 1000);
        var mac = new GlideCertificateEncryption().generateMac(this.secret(), 'HmacSHA256', id + '.' + at + '.' + body);
        if (!mac) {
            throw new Error('ServiceNow could not sign; is the secret whole?');
        }
        return { id: id, stamp: String(at), mac: 'v1,' + mac, body: body };
    },

    // Repeats what may be repeated, as long as it makes sense. A lost answer may have been a yes: then it is unsure.
    _send: function (signed, patience) {
        var latest = Math.min(this._now() + patience * 1000, (Number(signed.stamp) + this.LATEST_SECONDS) * 1000);
        var pause = 1;
        var unsure = false;
        for (;;) {
            var said = this._post(signed, latest - this._now());
            unsure = unsure || said.unanswered;
            var next = this._now() + (said.later || pause) * 1000;
            var isOver = said.accepted || !said.repeatable || next >= latest;
            if (isOver || !this._waited(next - this._now())) {
                return { accepted: said.accepted, unsure: unsure, why: said.why, id: signed.id };
            }
            pause = pause * 2;
        }
    },

    _post: function (signed, left) {
        try {
            var request = this._request();
            request.setRequestHeader('Content-Type', 'application/json');
            request.setRequestHeader('webhook-id', signed.id);
            request.setRequestHeader('webhook-timestamp', signed.stamp);
            request.setRequestHeader('webhook-signature', signed.mac);
            request.setHttpTimeout(Math.max(1000, Math.min(this.TRY_SECONDS * 1000, left)));
            request.setRequestBody(signed.body);
            return this._read(request.execute());
        } catch (error) {
            return this._lost(String(error.message || error));
        }
    },

    _request: function () {
        var MESSAGE = 'Onhook';
        var request = MESSAGE ? new sn_ws.RESTMessageV2(MESSAGE, 'remove') : new sn_ws.RESTMessageV2();
        request.disableForcedVariableSubstitution(); // else a ${...} in a text would be put in after it was signed
        request.setHttpMethod('POST');
        if (this.address()) {
            request.setEndpoint(this.address());
        }
        return request;
    },

    _read: function (answer) {
        var status = Number(answer.getStatusCode());
        if (!status) {
            return this._lost(String(answer.getErrorMessage() || 'no answer'));
        }
        var body = String(answer.getBody() || '');
        var told = {};
        try {
            told = JSON.parse(body) || {};
        } catch (ignored) {
            // a page of something between here and there
        }
        var why = status + ': ' + String(told.detail || told.reason || told.title || body).slice(0, 300);
        // a yes names the action; any other 2xx is an event that is not taken, or somebody else's page
        var accepted = status >= 200 && status < 300 && !!told.action;
        var repeatable = status === 408 || status === 425 || status === 429 || status >= 500;
        var later = /^[0-9]{1,5}$/.test(String(answer.getHeader('Retry-After') || '').trim());
        return {
            accepted: accepted,
            repeatable: repeatable,
            later: later ? Math.max(1, Number(answer.getHeader('Retry-After'))) : 0,
            unanswered: status === 408 || status === 500 || status === 502 || status === 504,
            why: why
        };
    },

    _lost: function (why) {
        return { accepted: false, repeatable: true, later: 0, unanswered: true, why: why };
    },

    // The agent sees it, and so does whoever reads the record.
    _say: function (record, text) {
        gs.addErrorMessage(text);
        try {
            record.work_notes = 'Remove Caller: ' + text;
            record.update();
        } catch (error) {
            gs.error('Remove Caller: the record could not be told: ' + text);
        }
    },

    _text: function (record, name) {
        return String(record.getValue(name) || '');
    },

    _now: function () {
        return new Date().getTime();
    },

    _waited: function (milliseconds) {
        try {
            gs.sleep(milliseconds);
            return true;
        } catch (missing) {
            return false; // a scoped application has none: what was not taken at once is not asked again
        }
    },

    type: 'OnhookRemoval'
};
