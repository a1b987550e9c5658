import * as http from 'node:http';
import got from 'got';
import Keyv from 'keyv';

export async function open({ originUrl, body }) {
  const agent = { http: new http.Agent({ keepAlive: true, maxSockets: 64 }) };
  const api = got.extend({ prefixUrl: originUrl, cache: new Keyv(), agent, retry: { limit: 0 } });
  const isText = typeof body === 'string';
  return {
    get: (path) => (isText ? api(path.slice(1)).json() : api(path.slice(1)).buffer()),
    close: () => agent.http.destroy(),
  };
}
