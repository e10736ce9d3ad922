// A stub of the ServiceNow platform for scripts of deploy/servicenow: runs the job on standard input, prints what happened.
//
// A job: the scripts, and what they meet: record, rows, request, properties, answers, mac, now, http, scoped, denied, deaf.
// Time passes only when a script sleeps or a call takes its while; with `http` the calls are real. The result names
// messages, notes, calls and sleeps.
var childProcess = require('child_process');
var crypto = require('crypto');
var fs = require('fs');
var vm = require('vm');

var job = JSON.parse(fs.readFileSync(0, 'utf8'));
var START = Date.parse(job.now || '2026-11-20T09:00:00Z');
var now = START;
var out = { info: [], error: [], log: [], notes: [], calls: [], slept: [], redirected: false, writes: 0 };
var answers = (job.answers || []).slice();
var guids = 0;

function text(value) { return value === undefined || value === null ? null : String(value); }

// a Java string is no string of JavaScript: typeof says object, JSON.stringify makes an object of it
function java(value) { return value === null ? null : Object(value); }

function record(fields) {
  var it = {
    getValue: function (name) { return java(text(fields[name])); },
    getTableName: function () { return java(fields.table || 'incident'); },
    getUniqueValue: function () { return java(fields.sys_id); },
    update: function () {
      if (job.denied === 'update') { throw new Error('denied'); }
      out.notes.push(String(it.work_notes));
      out.writes += 1;
      return java(fields.sys_id);
    }
  };
  return it;
}

function GlideDateTime(at) {
  var moment = at === undefined ? now : Date.parse(String(at).replace(' ', 'T') + 'Z');
  this.getValue = function () { return java(new Date(moment).toISOString().slice(0, 19).replace('T', ' ')); };
  this.getNumericValue = function () { return moment; };
}

function GlideCertificateEncryption() {
  this.generateMac = function (key, name, content) {
    if (name !== 'HmacSHA256') { throw new Error(name); }
    if (job.mac === null) { return null; }
    return java(crypto.createHmac('sha256', Buffer.from(String(key), 'base64')).update(content, 'utf8').digest('base64'));
  };
}

var FETCH = `
  const ask = JSON.parse(require('fs').readFileSync(0, 'utf8'));
  fetch(ask.url, { method: ask.method, headers: ask.headers, body: ask.body, signal: AbortSignal.timeout(ask.timeout) })
    .then(async (got) => console.log(JSON.stringify({ status: got.status, body: await got.text(),
      headers: Object.fromEntries(got.headers) })))
    .catch((why) => console.log(JSON.stringify({ status: 0, error: String(why) })));`;

function really(call) {
  var done = childProcess.spawnSync(process.execPath, ['-e', FETCH], { input: JSON.stringify(call), encoding: 'utf8' });
  return JSON.parse(done.stdout);
}

function RESTMessageV2(message, method) {
  var call = { url: job.endpoint || '', message: message || '', function: method || '', method: '', headers: {}, substituted: true };
  this.disableForcedVariableSubstitution = function () { call.substituted = false; };
  this.setEndpoint = function (url) { call.url = String(url); };
  this.setHttpMethod = function (name) { call.method = name; };
  this.setRequestHeader = function (name, value) { call.headers[name.toLowerCase()] = String(value); };
  this.setHttpTimeout = function (milliseconds) { call.timeout = milliseconds; };
  this.setRequestBody = function (body) {
    // what the platform does to ${...} unless it is told not to
    call.body = call.substituted ? String(body).replace(/\$\{[^}]*\}/g, '') : String(body);
  };
  this.execute = function () {
    call.at = now - START;
    out.calls.push(call);
    var answer = job.http ? really(call) : answers.length > 1 ? answers.shift() : answers[0];
    call.answer = answer.body;
    now += Math.min(answer.takes || 0, call.timeout);
    if (answer.throws) { throw new Error(answer.throws); }
    return {
      getStatusCode: function () { return answer.status; },
      getBody: function () { return java(answer.body === undefined ? '' : answer.body); },
      getHeader: function (name) { return java(text((answer.headers || {})[name.toLowerCase()])); },
      getErrorMessage: function () { return java(text(answer.error)); }
    };
  };
}

// a table: rows that may be looked through, one that may be changed
function GlideRecord(table, secure) {
  var rows = job.rows || {}, found = [], place = -1, wanted = [], limit = Infinity, self = this;
  function here() { return found[place]; }
  this.isValid = function () { return table in rows; };
  this.addQuery = function (name, operator, value) {
    wanted.push(value === undefined ? [name, '=', operator] : [name, operator, value]);
  };
  this.orderByDesc = function () {};
  this.setLimit = function (most) { limit = most; };
  this.query = function () {
    if (job.denied === 'journal') { throw new Error('no access to ' + table); }
    found = rows[table].filter(function (row) {
      return wanted.every(function (part) {
        if (job.deaf && part[0] !== 'element_id') { return true; }
        return part[1] === '=' ? row[part[0]] === part[2] : String(row[part[0]]).indexOf(part[2]) >= 0;
      });
    }).slice(0, limit);
  };
  this.next = function () { place += 1; return place < found.length; };
  this.get = function (sysId) {
    found = (rows[table] || []).filter(function (row) { return row.sys_id === sysId && !(secure && row.hidden); });
    place = 0;
    return found.length > 0;
  };
  this.getValue = function (name) { return java(text(here()[name])); };
  this.isValidField = function (name) { return !(here().lacks || []).includes(name); };
  this.canWrite = function () { return !here().locked; };
  this.getElement = function (name) {
    return { canWrite: function () { return !(here().locked_fields || []).includes(name); } };
  };
  this.update = function () {
    if (here().refuses) { return null; }
    out.writes += 1;
    if (!here().drops) {
      (rows.sys_journal_field || []).push({ element_id: here().sys_id, element: 'work_notes', value: String(self.work_notes) });
    }
    return java(here().sys_id);
  };
}

function GlideRecordSecure(table) { GlideRecord.call(this, table, true); }

function ServiceError() {
  var self = this;
  this.setStatus = function (status) { self.status = status; };
  this.setMessage = function (message) { self.message = message; };
  this.setDetail = function () {};
}

var platform = {
  JSON: JSON,
  Date: function () { this.getTime = function () { return job.http ? new Date().getTime() : now; }; },
  Class: { create: function () { return function () { this.initialize.apply(this, arguments); }; } },
  GlideDateTime: GlideDateTime,
  GlideCertificateEncryption: GlideCertificateEncryption,
  GlideEncrypter: function () {
    this.decrypt = function (cipher) {
      if (String(cipher).indexOf('enc:') !== 0) { throw new Error('not encrypted'); }
      return java(String(cipher).slice('enc:'.length));
    };
  },
  GlideRecord: GlideRecord,
  GlideRecordSecure: GlideRecordSecure,
  sn_ws: { RESTMessageV2: RESTMessageV2 },
  sn_ws_err: { ServiceError: ServiceError },
  gs: {
    getUserName: function () { return java(job.user || 'beth.anglin'); },
    generateGUID: function () { guids += 1; return java(('0'.repeat(32) + (now + guids).toString(16)).slice(-32)); },
    getProperty: function (name, other) { return java(text((job.properties || {})[name]) || text(other)); },
    addInfoMessage: function (message) { out.info.push(String(message)); },
    addErrorMessage: function (message) { out.error.push(String(message)); },
    error: function (message) { out.log.push(String(message)); },
    sleep: function (milliseconds) { out.slept.push(milliseconds); now += milliseconds; }
  },
  action: { setRedirectURL: function () { out.redirected = true; } }
};
if (job.record) { platform.current = record(job.record); platform.previous = null; }
if (job.request) {
  platform.request = job.request;
  platform.response = {
    setStatus: function (status) { out.status = status; },
    setBody: function (body) { out.body = body; },
    setError: function (error) { out.refused = { status: error.status, message: error.message }; }
  };
}
if (job.scoped) { delete platform.gs.sleep; }
var context = vm.createContext(platform);
// one script include for all scripts of a job, each script as often as it is named
job.scripts.forEach(function (script) { vm.runInContext(script, context); });
process.stdout.write(JSON.stringify(out));
