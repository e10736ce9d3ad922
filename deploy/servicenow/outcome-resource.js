// A Scripted REST resource, POST /outcome of an API with the id onhook: writes how a removal ended into the work notes,
// one note for an action, and says truthfully whether it stands there.
//
// It writes as the user that calls it (GlideRecordSecure): who may not write a record's work notes cannot do it here.
// It looks into the journal as the system, so that the user needs no right to read that.
(function process(request, response) {
    var asked = request.body && request.body.data ? request.body.data : {};
    var action = String(asked.action_id || '');
    var table = String(asked.table || '');
    var sysId = String(asked.sys_id || '');
    var note = String(asked.work_notes || '');

    function refuse(status, message) {
        var error = new sn_ws_err.ServiceError();
        error.setStatus(status);
        error.setMessage(message);
        error.setDetail('');
        response.setError(error);
    }

    function answer(told, seen) {
        response.setStatus(200);
        response.setBody({ action_id: action, told: told, seen: seen });
    }

    // whether the note stands there; null where the journal cannot be read, which is not the same as no
    function stands() {
        try {
            var row = new GlideRecord('sys_journal_field');
            if (!row.isValid()) {
                return null;
            }
            row.addQuery('element_id', sysId);
            row.addQuery('element', 'work_notes');
            row.addQuery('value', 'CONTAINS', action);
            row.orderByDesc('sys_created_on');
            row.setLimit(1000); // a condition that cannot be applied is dropped, so each row is looked at
            row.query();
            while (row.next()) {
                var isHere = String(row.getValue('element_id')) === sysId;
                if (isHere && String(row.getValue('value')).indexOf(action) >= 0) {
                    return true;
                }
            }
            return false;
        } catch (unreadable) {
            return null;
        }
    }

    var isRecord = /^[a-z][a-z0-9_]{0,79}$/.test(table) && /^[0-9a-f]{32}$/.test(sysId);
    var isAction = /^[a-z0-9][a-z0-9-]{0,31}\.[a-z0-9]{26}$/.test(action);
    if (!isAction || !isRecord || note.indexOf(action) < 0) {
        refuse(400, 'action_id, table, sys_id and work_notes with the action in it are needed');
        return;
    }
    var record = new GlideRecordSecure(table);
    if (!record.isValid() || !record.get(sysId)) {
        refuse(404, 'there is no such record, or this user may not see it');
        return;
    }
    if (!record.isValidField('work_notes')) {
        refuse(400, 'records of this table have no work notes');
        return;
    }
    if (!record.canWrite() || !record.getElement('work_notes').canWrite()) {
        refuse(403, 'this user may not write the work notes of this record');
        return;
    }
    var before = stands();
    if (before === true) {
        answer('already', true);
        return;
    }
    record.work_notes = note;
    if (!record.update()) {
        refuse(403, 'a business rule did not let the note through');
        return;
    }
    var after = stands();
    if (after === false) {
        refuse(403, 'the note was taken and does not stand there: an ACL or a business rule dropped it');
        return;
    }
    answer('written', after === true);
})(request, response);
