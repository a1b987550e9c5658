import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from '@jest/globals';
import MiniSearch from 'minisearch';
import { miniSearch } from '../../scripts/site/.vitepress/search.mjs';
import { temporaryFolder } from '../support/api.js';

/** The documentation site, as `npm run site` builds it. */

const run = promisify(execFile);
/** Characters of a heading and the two or three sentences below it. */
const ANSWER_LENGTH = 350;
/** HTML by path, such as `guide/a.html`. */
const pages = new Map<string, string>();
let output = '';
/** The index of the search, as JSON. */
let index = '';

beforeAll(async () => {
  await using folder = await temporaryFolder();
  const { stdout, stderr } = await run(process.execPath, ['scripts/site/main.mjs', folder.path], {
    env: { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1' },
  });
  output = stdout + stderr;
  for (const name of readdirSync(folder.path, { recursive: true, encoding: 'utf8' })) {
    const file = name.replaceAll('\\', '/');
    if (file.endsWith('.html')) pages.set(file, readFileSync(path.join(folder.path, name), 'utf8'));
    if (file.includes('@localSearchIndex')) index = (await import(path.join(folder.path, name))).default;
  }
}, 240_000);

/** Returns the page and the section of a link in a page; undefined for a link to another site. */
function targetOf(from: string, link: string): { page: string; section: string } | undefined {
  if (/^[a-z]+:/.test(link)) return undefined;
  const { pathname, hash } = new URL(link, `http://site/${from}`);
  const page = decodeURIComponent(pathname.slice(1));
  const file = page === '' || page.endsWith('/') ? `${page}index.html` : page.replace(/(\.html)?$/, '.html');
  return { page: file, section: decodeURIComponent(hash.slice(1)) };
}

function linksOf(html: string): string[] {
  return [...html.matchAll(/<a [^>]*href="([^"]*)"/g)].map(([, link = '']) => link.replaceAll('&amp;', '&'));
}

/** Returns the text of a section, up to the next heading of the same or a higher level. */
function textOf({ page, section }: { page: string; section: string }): string {
  const html = pages.get(page) ?? '';
  const heading = new RegExp(`<h([1-6]) id="${section}"`).exec(html);
  const rest = heading ? html.slice(heading.index + 1) : html;
  const end = heading ? rest.search(new RegExp(`<h[1-${heading[1]}] `)) : -1;
  const part = end === -1 ? rest : rest.slice(0, end);
  return part.replace(/<[^>]+>/g, '').replaceAll('&#39;', "'");
}

test('it is built without warnings', () => {
  expect(output).not.toMatch(/warn|error|dead link/i);
  expect(pages.size).toBeGreaterThan(100);
});

test('every link is to a page and a section that exist', () => {
  const broken = [...pages].flatMap(([from, html]) =>
    linksOf(html).filter((link) => {
      const target = targetOf(from, link);
      if (!target) return false;
      const there = pages.get(target.page);
      return there === undefined || (target.section !== '' && !there.includes(`id="${target.section}"`));
    }),
  );
  expect([...new Set(broken)]).toEqual([]);
});

test('the reference has every export', () => {
  const names = [
    ...readFileSync('docs/api-report.txt', 'utf8').matchAll(/^export (?:class|interface|type|const|function) (\w+)/gm),
  ].map((match) => match[1]);
  const documented = new Set(
    [...pages.keys()].filter((file) => file.startsWith('api/')).map((file) => path.basename(file, '.html')),
  );
  expect(names.length).toBeGreaterThan(50);
  expect(names.filter((name) => name && !documented.has(name))).toEqual([]);
});

describe('questions of users are answered one click from the start page', () => {
  const questions = [
    ['Where is the file?', 'cache.location'],
    ['How long is a response kept?', 'forever'],
    ['Why was this not cached?', 'response.cacheStatus'],
    ['How do I clear the cache?', 'cache.clear()'],
    ['How do I clear one URL?', 'cache.deleteUrl(url)'],
    ['How do I clear the cache after a mutation?', 'invalidates'],
    ['Which requests share a stored response?', 'the same cache key'],
    ["Do users see each other's responses?", 'never share a stored response'],
    ['What happens if the origin fails?', 'oldDataOnError'],
    ['What happens if the store fails?', 'never fails a request'],
    ['Which backend do I choose?', 'for several machines'],
    ['How do I limit the size?', 'maxSize'],
    ['How do I remove expired responses from cron?', 'removeExpiredResponses()'],
    ['How do I test code that uses the cache?', "backend: 'memory'"],
    ['How do I count hits?', 'cache.stats()'],
    ['How do I cache POST and GraphQL?', 'cached by their body'],
  ] as const;

  /** Returns the section that the start page links a question to. */
  function sectionOf(question: string): { page: string; section: string } | undefined {
    const start = (pages.get('index.html') ?? '').replaceAll('&#39;', "'").replaceAll('’', "'");
    const links = [...start.matchAll(/<a [^>]*href="([^"]*)"[^>]*>([^<]*)<\/a>/g)];
    const link = links.find(([, , text]) => text === question)?.[1];
    return targetOf('index.html', link ?? 'missing');
  }

  test.each(questions)('%s in the first sentences of a section', (question, answer) => {
    const target = sectionOf(question);
    expect(target?.section).toMatch(/./);
    expect(target && textOf(target).slice(0, ANSWER_LENGTH)).toContain(answer);
  });

  test('each in a section of its own', () => {
    const sections = questions.map(([question]) => JSON.stringify(sectionOf(question)));
    expect(new Set(sections).size).toBe(questions.length);
  });
});

describe('the search', () => {
  /** Returns the sections that the browser lists, with the options of VitePress's search box. */
  function search(words: string): string[] {
    const { options, searchOptions } = miniSearch;
    const box = MiniSearch.loadJSON(index, {
      fields: ['title', 'titles', 'text'],
      searchOptions: { prefix: true, boost: { title: 4, text: 2, titles: 1 }, ...searchOptions },
      ...options,
    });
    return box.search(words).map(({ id }) => String(id));
  }

  test.each([
    ['expire', '/expiration.html'],
    ['invalidate', '/invalidation.html'],
    ['stale', '/stale-data.html'],
    ['vary', '/matching.html'],
    ['delete url', '/management.html#clear-one-url'],
    ['redis', '/backends.html#redis'],
    ['graphql', '/recipes.html#post-graphql'],
    ['test', '/testing.html'],
    ['encrypt', '/security.html'],
  ])('gives a guide first for "%s"', (words, guide) => {
    const [first, second] = search(words);
    expect(first).toMatch(new RegExp(`^${guide}`));
    expect(second).not.toMatch(/\/(?:api|decisions)\//);
  });

  test.each([
    ['clear cache', '/management.html#clear-the-cache'],
    ['delete cache', '/management.html#clear-the-cache'],
    ['ttl', '/expiration.html'],
    ['not cached', '/why-not-cached.html#why-was-this-not-cached'],
    ['post', '/recipes.html#post-graphql'],
    ['jest fake timers', '/testing.html#fake-timers'],
    ['tags', '/invalidation.html#by-tag'],
    ['cron', '/recipes.html#cron-cleanup'],
    ['offline', '/stale-data.html#offline-mode'],
    ['invalidate after mutation', '/invalidation.html#after-a-mutation'],
    ['cache key', '/matching.html#the-key'],
    ['typescript', '/typescript.html'],
    ['prometheus', '/metrics.html#prometheus'],
    ['memory limit', '/backends.html#memory'],
    ['multiple processes', '/invalidation.html#other-processes'],
    ['etag', '/expiration.html'],
    ['error codes', '/why-not-cached.html#error-codes'],
    ['disable cache', '/getting-started.html#classes-patching-adapters'],
    ['install', '/getting-started.html'],
    ['docker', '/troubleshooting.html'],
    ['serverless', '/recipes.html#serverless'],
    ['nock', '/testing.html#mocks'],
    ['per user cache', '/security.html#isolation-of-users'],
    ['where is the file', '/management.html#where-is-the-file'],
  ])('gives the answer to "%s" among the first three', (words, section) => {
    const first = search(words).slice(0, 3);
    expect(first).toEqual(expect.arrayContaining([expect.stringMatching(new RegExp(`^${section}`))]));
  });

  test('finds an inherited member once, and no heading that all members have', () => {
    expect(search('recreateKeys').filter((section) => /#recreatekeys/.test(section))).toEqual([
      '/api/classes/BaseCache.html#recreatekeys',
    ]);
    expect(search('Throws').filter((section) => /#throws/.test(section))).toEqual([]);
  });

  test('has these options in the browser', () => {
    const page = pages.get('index.html') ?? '';
    for (const name of ['processTerm', 'boostDocument', 'fuzzy'])
      expect(page).toMatch(new RegExp(`${name}[\\\\":]+_vp-fn_`));
  });
});
