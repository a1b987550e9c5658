import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { FIELDS, metadataOf, REPOSITORY } from '../../scripts/metadata.mjs';
import { packedBy } from '../../scripts/packed.mjs';
import { findProgram } from '../../scripts/services/programs.mjs';

interface Locked {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly hasInstallScript?: boolean;
  readonly optional?: boolean;
}

const description = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
};
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  readonly packages: Readonly<Record<string, Locked>>;
};

test('homepage, repository and bugs are those of the one address', () => {
  const given = Object.fromEntries(Object.entries(description).filter(([name]) => FIELDS.includes(name)));
  expect(given).toEqual(metadataOf(REPOSITORY));
  expect(metadataOf('https://example.org/a')).toEqual({
    homepage: 'https://example.org/a#readme',
    repository: { type: 'git', url: 'git+https://example.org/a.git' },
    bugs: { url: 'https://example.org/a/issues' },
  });
});

test('the changelog begins with the version of package.json', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string };
  expect(/^## (\S+)/m.exec(readFileSync('CHANGELOG.md', 'utf8'))?.[1]).toBe(version);
});

test('every install script of a package is allowed or denied: npm 12 runs none otherwise', () => {
  const withScripts = Object.entries(packages)
    .filter(([, { hasInstallScript, optional }]) => hasInstallScript && !optional)
    .map(([place]) => place.replace(/^.*node_modules\//, ''));
  expect(Object.keys(description.allowScripts)).toEqual(expect.arrayContaining(withScripts));
});

test('the notices name each package whose code the build contains', () => {
  const builds = readdirSync('dist').filter((name) => /\.c?js$/.test(name));
  // The build marks the beginning of each module with its file.
  const modules = builds.flatMap((name) =>
    [
      ...readFileSync(path.join('dist', name), 'utf8').matchAll(/^\/\/#region node_modules\/((?:@[^/]+\/)?[^/]+)/gm),
    ].map(([, bundled]) => bundled as string),
  );
  const bundled = [...new Set(modules)].sort();
  expect(bundled).toEqual([
    'fastest-levenshtein',
    'jose',
    'lossless-json',
    'lru-cache',
    'p-limit',
    'structured-headers',
    'yocto-queue',
  ]);
  const notices = readFileSync('THIRD-PARTY-NOTICES.md', 'utf8');
  expect(bundled.filter((name) => !notices.includes(`[${name}](`))).toEqual([]);
});

test.each([
  ['npm 10 and 11', '[{ "filename": "a.tgz" }]'],
  ['npm 12', '{ "a": { "filename": "a.tgz" } }'],
])('the output of `npm pack --json` of %s is read', (_, output) => {
  expect(packedBy(output)).toEqual([{ filename: 'a.tgz' }]);
});

describe('the tarball', () => {
  const [{ files }] = packedBy(
    execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      encoding: 'utf8',
      shell: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  ) as [{ readonly files: readonly { readonly path: string; readonly size: number }[] }];
  const names = new Set(files.map((file) => file.path));

  test('has the builds, the documentation with its examples and the notices, and no sources', () => {
    for (const name of ['dist/index.js', 'dist/index.cjs', 'README.md', 'LICENSE', 'THIRD-PARTY-NOTICES.md']) {
      expect(names).toContain(name);
    }
    const kinds = new Set([...names].map((name) => name.replace(/^(\w+)\/.*?((\.d)?\.\w+)$/, '$1/*$2')));
    expect([...kinds].sort()).toEqual([
      'CHANGELOG.md',
      'CONTRIBUTING.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'THIRD-PARTY-NOTICES.md',
      'dist/*.cjs',
      'dist/*.d.cts',
      'dist/*.d.ts',
      'dist/*.js',
      'docs/*.md',
      'docs/*.svg',
      'docs/*.txt',
      'examples/*.ts',
      'package.json',
    ]);
  });

  test('has the targets of all links of its pages', () => {
    const folders = new Set([...names].flatMap((name) => parentsOf(name)));
    const broken = [...names]
      .filter((name) => name.endsWith('.md'))
      .flatMap((page) =>
        linksOf(readFileSync(page, 'utf8'))
          .map((link) => path.posix.join(path.posix.dirname(page), link))
          .filter((target) => !names.has(target) && !folders.has(target.replace(/\/$/, '')))
          .map((target) => `${page}: ${target}`),
      );
    expect(broken).toEqual([]);
  });

  test('and what npm installs with it: at most 12 MB and 40 packages, axios included', () => {
    const installed = new Set<string>();
    for (const name of ['axios', ...Object.keys(description.dependencies)]) collect(`node_modules/${name}`, installed);
    const own = files.reduce((sum, file) => sum + file.size, 0);
    const bytes = own + [...installed].reduce((sum, place) => sum + sizeOf(place), 0);
    expect(installed.size + 1).toBeLessThanOrEqual(40);
    expect(bytes).toBeLessThanOrEqual(12_000_000);
  });
});

/** Adds a package and its dependencies, as the lock file has them. */
function collect(place: string, installed: Set<string>): void {
  if (installed.has(place)) return;
  installed.add(place);
  for (const name of Object.keys(packages[place]?.dependencies ?? {})) {
    let folder = place;
    while (folder !== '' && !packages[`${folder}/node_modules/${name}`]) {
      folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')));
    }
    collect(folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`, installed);
  }
}

/** Bytes of a package without the packages within it. */
function sizeOf(folder: string): number {
  if (!existsSync(folder)) return 0;
  return readdirSync(folder).reduce((sum, name) => {
    const file = path.join(folder, name);
    const status = lstatSync(file);
    if (!status.isDirectory()) return sum + status.size;
    return name === 'node_modules' ? sum : sum + sizeOf(file);
  }, 0);
}

function parentsOf(name: string): string[] {
  const parts = name.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

/** Relative targets of a page's links, without the part after `#`. */
function linksOf(page: string): string[] {
  return [...page.replace(/```.*?```/gs, '').matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target.replace(/#.*$/, ''))
    .filter((target) => target !== '' && !/^[a-z]+:/.test(target));
}

describe('findProgram', () => {
  const system = (platform: string, list: string, files: readonly string[]) => ({
    platform,
    path: list,
    exists: (file: string) => files.includes(file),
  });
  test.each([
    ['the PATH comes first', system('linux', '/a:/b', ['/b/redis-server', '/usr/bin/redis-server']), '/b/redis-server'],
    ['Debian', system('linux', '', ['/usr/bin/redis-server']), '/usr/bin/redis-server'],
    ['Apple silicon', system('darwin', '/a', ['/opt/homebrew/bin/redis-server']), '/opt/homebrew/bin/redis-server'],
    ['Intel Macs', system('darwin', '/a', ['/usr/local/bin/redis-server']), '/usr/local/bin/redis-server'],
    ['Windows', system('win32', 'C:\\a;C:\\b', ['C:\\b\\redis-server.exe']), 'C:\\b\\redis-server.exe'],
    ['nowhere', system('linux', '/a', []), undefined],
  ])('%s', (_, given, expected) => {
    expect(findProgram('redis-server', given)).toBe(expected);
  });
});

test.each(readdirSync('.github/workflows').map((file) => [file]))(
  '%s uses exact versions of actions and systems',
  (file) => {
    const text = readFileSync(path.join('.github/workflows', file), 'utf8');
    const actions = [...text.matchAll(/uses: ([^\r\n]+)/g)].map(([, name]) => name);
    expect(actions.length).toBeGreaterThan(0);
    for (const action of actions) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    expect(text).not.toMatch(/-latest\b/);
  },
);
