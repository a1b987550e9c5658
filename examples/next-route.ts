// A route handler of Next.js (app/api/rates/route.ts). The cache works beside that of fetch, which does not see axios.
import axios from 'axios';
import { setupCache } from 'axios-keyv-cache';

const api = setupCache(axios.create({ baseURL: 'https://example.org' }), { backend: 'memory', expireAfter: '10m' });

export const runtime = 'nodejs';

export async function GET(request: Request): Promise<Response> {
  const { searchParams } = new URL(request.url);
  const { data, cacheStatus } = await api.get('/rates', { params: { base: searchParams.get('base') ?? 'EUR' } });
  return Response.json(data, { headers: { 'Cache-Status': cacheStatus } });
}

for (const _ of [1, 2]) {
  const response = await GET(new Request('https://app.example/api/rates?base=USD'));
  console.log(response.headers.get('cache-status'));
}
