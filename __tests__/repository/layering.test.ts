import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import ts from 'typescript';

/** Each layer imports itself and those before it. A name is a folder or a file of `lib/`. */
const LAYERS = [
  ['errors', 'platform', 'policy'],
  ['models', 'request'],
  ['serializers'],
  ['stores'],
  ['cache'],
  ['settings'],
  ['exchange'],
  ['conversion'],
  ['axios'],
  ['setup-cache', 'cached-adapter', 'cached-axios', 'patcher'],
  ['index', 'subpaths'],
];

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

const root = path.resolve('lib');
const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.split(path.sep).join('/'));
const sources = new Map(files.map((file) => [file, readFileSync(path.join(root, file), 'utf8')]));
const imports = files.flatMap(importsOf);

function importsOf(file: string): Import[] {
  const source = ts.createSourceFile(file, sources.get(file) ?? '', ts.ScriptTarget.Latest);
  return source.statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return [];
    const { moduleSpecifier } = statement;
    if (!moduleSpecifier || !ts.isStringLiteral(moduleSpecifier) || !moduleSpecifier.text.startsWith('.')) return [];
    const to = path.posix.join(path.posix.dirname(file), moduleSpecifier.text).replace(/\.js$/, '.ts');
    const clause = ts.isImportDeclaration(statement) ? statement.importClause : undefined;
    const typeOnly = ts.isExportDeclaration(statement) ? statement.isTypeOnly : (clause?.isTypeOnly ?? false);
    return [{ from: file, to, typeOnly }];
  });
}

function layerOf(file: string): number {
  const name = file.split('/')[0]?.replace(/\.ts$/, '') ?? '';
  return LAYERS.findIndex((layer) => layer.includes(name));
}

describe('the sources', () => {
  test('every file belongs to a layer', () => {
    expect(files.filter((file) => layerOf(file) === -1)).toEqual([]);
  });

  test('each layer imports itself and those before it', () => {
    const upward = imports.filter(({ from, to }) => layerOf(to) > layerOf(from));
    expect(upward.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  test('no imports go round in a circle', () => {
    const targets = new Map(
      files.map((file) => [
        file,
        imports.filter(({ from, typeOnly }) => from === file && !typeOnly).map(({ to }) => to),
      ]),
    );
    const circles: string[] = [];
    const done = new Set<string>();
    const visit = (file: string, trail: readonly string[]) => {
      if (trail.includes(file)) circles.push([...trail, file].join(' > '));
      if (done.has(file) || trail.includes(file)) return;
      for (const target of targets.get(file) ?? []) visit(target, [...trail, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(circles).toEqual([]);
  });

  test('the rules of HTTP import nothing but errors and digests, and Structured Fields in one file', () => {
    const policy = files.filter((file) => file.startsWith('policy/'));
    const allowed = (to: string) => to.startsWith('policy/') || to === 'errors.ts' || to === 'platform/digest.ts';
    const outside = imports.filter(({ from, to }) => policy.includes(from) && !allowed(to));
    expect(outside.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
    const packages = policy.filter((file) => /from '[^.]/.test(sources.get(file) ?? ''));
    expect(packages).toEqual(['policy/structured-fields.ts']);
  });

  test('the rules of HTTP read no clock', () => {
    const clocks = /\bDate\.now\b|new Date\(\)|performance\.now/;
    expect(files.filter((file) => file.startsWith('policy/') && clocks.test(sources.get(file) ?? ''))).toEqual([]);
  });

  test('the index consists of named re-exports', () => {
    const source = ts.createSourceFile('index.ts', sources.get('index.ts') ?? '', ts.ScriptTarget.Latest);
    const isNamed = (statement: ts.Statement) =>
      ts.isExportDeclaration(statement) && statement.exportClause !== undefined;
    expect(source.statements.every(isNamed)).toBe(true);
  });

  test('no file has more than 300 lines without its docstrings', () => {
    const code = (file: string) => (sources.get(file) ?? '').replace(/^[ \t]*\/\*\*[\s\S]*?\*\/\r?\n/gm, '');
    expect(files.filter((file) => code(file).split('\n').length > 300)).toEqual([]);
  });
});
