import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { temporaryFolder } from '../support/api.js';

/** The documentation site, as `npm run site` builds it. */

const run = promisify(execFile);
/** HTML by path, such as `guide/a.html`. */
const pages = new Map<string, string>();
let output = '';

beforeAll(async () => {
  await using folder = await temporaryFolder();
  const { stdout, stderr } = await run(process.execPath, ['scripts/site/main.mjs', folder.path], {
    env: { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1' },
  });
  output = stdout + stderr;
  for (const name of readdirSync(folder.path, { recursive: true, encoding: 'utf8' })) {
    const file = name.replaceAll('\\', '/');
    if (file.endsWith('.html')) pages.set(file, readFileSync(path.join(folder.path, name), 'utf8'));
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
  test.each([
    ['Where is the file?', 'cache.location'],
    ['How long is a response kept?', 'DO_NOT_CACHE'],
    ['Why was this not cached?', 'body-too-large'],
    ['How do I clear one URL?', 'cache.deleteUrl(url)'],
    ['How do I clear the cache after a mutation?', 'invalidates'],
    ['Which requests share a stored response?', 'SHA-256'],
    ["Do users see each other's responses?", 'never share a stored response'],
    ['What happens if the origin fails?', 'oldDataOnError'],
    ['What happens if the store fails?', 'circuit breaker'],
    ['Which backend do I choose?', 'for several machines'],
    ['How do I limit the size?', 'maxSize'],
    ['How do I remove expired responses from cron?', 'removeExpiredResponses()'],
    ['How do I test code that uses the cache?', 'Fake timers'],
    ['How do I count hits?', 'stats()'],
    ['How do I cache POST and GraphQL?', 'allowableMethods'],
  ])('%s', (question, answer) => {
    const start = (pages.get('index.html') ?? '').replaceAll('&#39;', "'").replaceAll('’', "'");
    const link = [...start.matchAll(/<a [^>]*href="([^"]*)"[^>]*>([^<]*)<\/a>/g)].find(
      ([, , text]) => text === question,
    )?.[1];
    const target = targetOf('index.html', link ?? 'missing');
    expect(target && textOf(target)).toContain(answer);
  });
});
