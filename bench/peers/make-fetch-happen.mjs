import * as path from 'node:path';
import fetch from 'make-fetch-happen';

export async function open({ originUrl, body, folder }) {
  const api = fetch.defaults({ cachePath: path.join(folder, 'make-fetch-happen'), retry: false });
  const isText = typeof body === 'string';
  return {
    async get(url) {
      const response = await api(originUrl + url);
      return isText ? response.json() : response.buffer();
    },
    close() {},
  };
}
