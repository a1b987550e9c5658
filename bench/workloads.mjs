import { randomBytes } from 'node:crypto';

/** The bodies that are requested. `times` is the number of requests in a round, so that rounds last about as long. */
export const WORKLOADS = {
  '40 B': { body: JSON.stringify({ id: 1, name: 'forty bytes of JSON text' }), times: 1_000 },
  '30 KB': {
    body: JSON.stringify(Array.from({ length: 300 }, (_, id) => ({ id, text: 'x'.repeat(80) }))),
    times: 150,
  },
  '256 KB': { body: randomBytes(256 * 1024), times: 50 },
};
