import { expect, test } from '@jest/globals';
import { program } from '../support/child.js';
import { sendJson, startOrigin } from '../support/origin.js';

/** In a separate process, since Jest cannot load the dependencies of the wrapper. */
const CLIENT = `
  import axios from 'axios';
  import { wrapper } from 'axios-cookiejar-support';
  import { CookieJar } from 'tough-cookie';
  import { setupCache } from './lib/index.js';

  const [, , baseURL, order] = process.argv;
  const instance = axios.create({ baseURL });
  const api = order === 'before'
    ? setupCache(wrapper(instance), { backend: 'memory' })
    : wrapper(setupCache(instance, { backend: 'memory' }));
  const jarWith = (cookie) => {
    const jar = new CookieJar();
    jar.setCookieSync(cookie, baseURL);
    return jar;
  };
  const [ann, ben] = [jarWith('session=ann'), jarWith('session=ben')];
  const seen = [];
  const ask = async (jar) => {
    const { data, fromCache } = await api.get('/me', { jar });
    seen.push([data.cookie, fromCache]);
  };
  for (const jar of [ann, ben, ann, ben]) await ask(jar);
  await api.get('/login', { jar: ann });
  await ask(ann);
  console.log(JSON.stringify(seen));
`;

test.each(['before', 'after'])('set up %s the cache: the cookies of a jar set entries apart', async (order) => {
  await using origin = await startOrigin(({ url, headers }, response) =>
    sendJson(response, { cookie: headers.cookie ?? null }, url === '/login' ? { 'set-cookie': 'session=new' } : {}),
  );
  await using client = program(CLIENT);
  expect(JSON.parse(await client.run(origin.url, order))).toEqual([
    ['session=ann', false],
    ['session=ben', false],
    ['session=ann', true],
    ['session=ben', true],
    ['session=new', false],
  ]);
});
