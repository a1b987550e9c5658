import { Agent, cacheStores, interceptors, request } from 'undici';

export async function open({ originUrl, body }) {
  const store = new cacheStores.MemoryCacheStore();
  const dispatcher = new Agent({ connections: 64 }).compose(interceptors.cache({ store }));
  const isText = typeof body === 'string';
  return {
    async get(path) {
      const response = await request(originUrl + path, { dispatcher });
      return isText ? response.body.json() : response.body.arrayBuffer();
    },
    close: () => dispatcher.close(),
  };
}
