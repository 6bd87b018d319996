// Runs the test vectors against a receiver and says where it differs: node vectors.mjs FOLDER [POLICY]
//
// Needs nothing but node. Put your own receiver in the place of `receive`, which stands for a careless one: it takes
// whatever has a SOAP Envelope in it, reads the TransactionID with a pattern, and looks no further.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

function receive(octets, bodyOffset) {
  const body = octets.subarray(bodyOffset ?? octets.length).toString('utf8');
  const found = /<(?:\w+:)?TransactionID[^>]*>([^<]*)</.exec(body);
  return { accepts: /<(\w+:)?Envelope/.test(body), transactionId: found ? found[1] : null };
}

const [folder, policy = 'interop'] = process.argv.slice(2);
const load = (name) => readFileSync(join(folder, name));
const index = JSON.parse(load('index.json'));
const examples = [];
for (const area of index.areas) {
  const data = load(area.file);
  if (createHash('sha256').update(data).digest('hex') !== area.sha256) throw new Error(`${area.file} is damaged`);
  const count = { right: 0, 'too patient': 0, 'too strict': 0, 'reads otherwise': 0 };
  for (const one of JSON.parse(data).vectors) {
    if (one.before.length) continue; // rests on the messages before it: this receiver keeps none
    const said = receive(Buffer.from(one.octets, 'base64'), one.body_offset);
    const wanted = one.verdicts[policy] === 'accept';
    const misread = wanted && said.accepts && one.fields.transaction_id !== said.transactionId;
    const what = misread ? 'reads otherwise' : said.accepts === wanted ? 'right' : said.accepts ? 'too patient' : 'too strict';
    count[what] += 1;
    if (what !== 'right') examples.push(`${what}: ${one.id}: ${one.description}`);
  }
  console.log(area.area.padEnd(8), Object.entries(count).map(([what, n]) => `${what} ${n}`).join(', '));
}
console.log(`\n${examples.filter((line) => line.startsWith('reads')).slice(0, 2).join('\n')}`);
