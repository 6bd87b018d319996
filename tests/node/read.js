// Reads messages as node-soap's own client and server do, and says what it makes of each.
//
// Standard input: {"wsdls": {namespace: path}, "messages": [{"id", "namespace", "content_type", "body"}]}, bodies in
// base64. Standard output: {id: {"reason"}} of what it does not read, {id: {"operation", "transaction"}} of the others.
'use strict';

const { createRequire } = require('module');
const load = createRequire(`${process.argv[2]}/`);
const { WSDL } = load('soap/lib/wsdl');
const { parseMTOMResp } = load('soap/lib/utils');
const MIMEType = load('whatwg-mimetype');

const opened = (path) => new Promise((done, failed) => {
  load('soap').createClient(path, (error, client) => (error ? failed(error) : done(client.wsdl)));
});

// What its multipart parser does not understand it throws where nobody can catch it: that would end the program.
let stray = null;
process.on('uncaughtException', (error) => { stray = error; });

// As its client: the first part is the envelope, in UTF-8.
async function envelope(kind, body) {
  if (!kind.toLowerCase().includes('multipart/related')) return body.toString('utf8');
  const boundary = new MIMEType(kind).parameters.get('boundary');
  if (!boundary) throw new Error('Missing boundary from content-type');
  const read = await new Promise((done, failed) => {
    parseMTOMResp(body, boundary, (error, found) => (error ? failed(error) : done(found)));
  });
  await new Promise((done) => setImmediate(done));
  if (stray) throw stray;
  const first = read.parts.shift();
  if (!first || !first.body) throw new Error('Cannot parse multipart response');
  return first.body.toString('utf8');
}

function parsed(wsdl, text) {
  try {
    return wsdl.xmlToObject(text);
  } catch (error) {
    if (error && error.root) return error.root; // a Fault is thrown, with all that was read
    throw error;
  }
}

const plain = (value) => (value && value.$value !== undefined ? value.$value : value);

async function main() {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const asked = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  const wsdls = {};
  for (const [namespace, path] of Object.entries(asked.wsdls)) wsdls[namespace] = await opened(path);
  const said = {};
  for (const { id, namespace, content_type: kind, body } of asked.messages) {
    stray = null;
    try {
      const root = parsed(wsdls[namespace], await envelope(kind, Buffer.from(body, 'base64')));
      const held = root.Envelope || root;
      if (!held.Body) throw new Error('no Body');
      let operation = Object.keys(held.Body).find((name) => !['$attributes', 'attributes'].includes(name));
      if (operation === 'Fault') {
        const detail = (held.Body.Fault || {}).detail;
        operation = detail && typeof detail === 'object' ? Object.keys(detail)[0] : 'Fault';
      }
      if (!operation) throw new Error('an empty Body');
      said[id] = { operation, transaction: plain((held.Header || {}).TransactionID) };
    } catch (error) {
      const fault = error && error.Fault;
      said[id] = { reason: String((fault && (fault.detail || fault.faultstring)) || (error && error.message) || error) };
    }
  }
  process.stdout.write(JSON.stringify(said));
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
