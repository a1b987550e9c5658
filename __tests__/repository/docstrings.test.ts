import * as path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import ts from 'typescript';
import { DEFAULTS } from '../../lib/settings/schema.js';

/** The docstrings of public options, methods and functions. Examples are checked by the compiler. */

const ENTRY = path.resolve('lib/index.ts');
const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile);
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, '.');
const program = ts.createProgram([ENTRY], options);
const checker = program.getTypeChecker();

/** A public option, method or function. */
interface Documented {
  /** Such as `BaseCache.delete`. */
  readonly title: string;
  readonly name: string;
  readonly symbol: ts.Symbol;
  readonly text: string;
  readonly examples: readonly string[];
}

function documented(symbol: ts.Symbol, owner?: string): Documented {
  const examples = symbol
    .getJsDocTags(checker)
    .filter(({ name }) => name === 'example')
    .map(({ text }) => ts.displayPartsToString(text));
  return {
    title: owner === undefined ? symbol.name : `${owner}.${symbol.name}`,
    name: symbol.name,
    symbol,
    text: ts.displayPartsToString(symbol.getDocumentationComment(checker)),
    examples,
  };
}

const module = checker.getSymbolAtLocation(program.getSourceFile(ENTRY) as ts.SourceFile) as ts.Symbol;
const exported = checker
  .getExportsOfModule(module)
  .map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol));

/** Returns the public members of a type that this package declares, each once. */
function membersOf(symbol: ts.Symbol): ts.Symbol[] {
  return checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol)).filter((member) => {
    const [declaration] = member.declarations ?? [];
    if (!declaration || program.isSourceFileFromExternalLibrary(declaration.getSourceFile())) return false;
    const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
    if (ts.getCombinedModifierFlags(declaration as ts.Declaration) & hidden) return false;
    const isPlain =
      /^[a-z]/i.test(member.name) && !ts.getJSDocTags(declaration).some(({ tagName }) => tagName.text === 'internal');
    return isPlain && declaration.getSourceFile().fileName.startsWith(path.resolve('lib').replaceAll('\\', '/'));
  });
}

function once(all: readonly Documented[]): Documented[] {
  const seen = new Set<ts.Declaration | undefined>();
  return all.filter(({ symbol: { declarations: [declaration] = [] } }) => {
    const isNew = !seen.has(declaration);
    seen.add(declaration);
    return isNew;
  });
}

const isMethod = ({ flags }: ts.Symbol) => (flags & ts.SymbolFlags.Method) !== 0;

/** Members of all types with options: `CacheOptions`, `RequestCacheOptions`, `RedisCacheOptions` ... */
const settings = once(
  exported
    .filter(({ name }) =>
      /^(?:CacheOptions|RequestCacheOptions|\w+CacheOptions|NodeSqliteAdapterOptions|PrefetchOptions)$/.test(name),
    )
    .flatMap((symbol) => membersOf(symbol).map((member) => documented(member, symbol.name))),
);

/** Classes and interfaces whose methods users call; those of Keyv's and axios's interfaces are documented there. */
const CALLED = ['CacheMethods', 'BaseCache', 'CachedResponse', 'CachingAdapter'];
const methods = once(
  exported
    .filter(({ name }) => CALLED.includes(name))
    .flatMap((symbol) =>
      membersOf(symbol)
        .filter((member) => isMethod(member) && !/^to(?:String|JSON)$/.test(member.name))
        .map((member) => documented(member, symbol.name)),
    ),
);
const functions = exported.filter(({ flags }) => flags & ts.SymbolFlags.Function).map((symbol) => documented(symbol));
/** The option of which it is an alias states everything. */
const isAlias = (text: string) => text.startsWith('An alias of ');
const titled = (all: readonly Documented[]) => all.map((one) => [one.title, one] as const);

test('there are options, methods and functions', () => {
  const titles = [...settings, ...methods, ...functions].map(({ title }) => title);
  expect(titles).toEqual(
    expect.arrayContaining(['CacheOptions.expireAfter', 'RedisCacheOptions.shards', 'BaseCache.delete', 'setupCache']),
  );
  expect([settings.length > 50, methods.length > 30, functions.length > 10]).toEqual([true, true, true]);
});

describe('an option', () => {
  test.each(titled(settings))(
    '%s states its meaning, and its default if it may be left out',
    (_, { name, symbol, text }) => {
      expect(text.split(/\s+/).length).toBeGreaterThan(4);
      if (!(symbol.flags & ts.SymbolFlags.Optional) || isAlias(text)) return;
      const stated = /\bDefault:\s+(\S[^.]*)/.exec(text)?.[1] ?? '';
      expect(stated).not.toBe('');
      const real: unknown = (DEFAULTS as unknown as Record<string, unknown>)[name === 'cache' ? 'enabled' : name];
      if (typeof real === 'boolean') expect(stated).toMatch(new RegExp(`^\`${real}\``));
    },
  );

  test.each(titled(settings))('%s states the unit of a number', (_, { symbol, text }) => {
    const type = checker.getNonNullableType(checker.getTypeOfSymbol(symbol));
    const parts = type.isUnion() ? type.types : [type];
    if (parts.some(({ flags }) => flags & ts.TypeFlags.Number) && !isAlias(text)) {
      expect(text).toMatch(/\b(?:seconds|bytes|milliseconds|number of|status)/i);
    }
  });
});

describe('the docstring', () => {
  test.each(titled([...methods, ...functions]))('of %s begins with a verb in the third person', (_, { text }) => {
    expect(text).toMatch(/^[A-Z][a-z]+s\b/);
    expect(text.split(/\s+/).length).toBeGreaterThan(4);
  });

  test.each(titled([...settings, ...methods, ...functions]))(
    'of %s has an example that uses it',
    (_, { name, examples }) => {
      expect(examples.join('\n')).toMatch(new RegExp(`\\b${name}\\b`));
    },
  );
});

/** Returns the program of an example, with the imports and the values that examples use without a declaration. */
function programOf(example: string): string {
  const code = example.replace(/^```\w*$/gm, '');
  const isUsed = (name: string) =>
    new RegExp(`\\b${name}\\b`).test(code) && !new RegExp(`(?:const|class) ${name}\\b`).test(code);
  const imported = exported
    .filter(({ name }) => isUsed(name))
    .map(({ name, flags }) => (flags & ts.SymbolFlags.Value ? name : `type ${name}`));
  return [
    "import axios from 'axios';",
    "import Keyv from 'keyv';",
    "import type { BaseCache as Cache, CachedAxiosInstance as Instance, CachedResponse as Stored } from './index.js';",
    `import { ${imported.join(', ')} } from './index.js';`,
    'declare const api: Instance, cache: Cache, response: Stored;',
    `export async function example() { ${code}\n}`,
  ].join('\n');
}

/** Returns the errors of programs, which need not exist as files. */
function errorsOf(texts: ReadonlyMap<string, string>): string[] {
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists, getSourceFile } = host;
  host.readFile = (file) => texts.get(file) ?? readFile(file);
  host.fileExists = (file) => texts.has(file) || fileExists(file);
  host.getSourceFile = (file, version, ...rest) => {
    const text = texts.get(file);
    if (text !== undefined) return ts.createSourceFile(file, text, version, true);
    return program.getSourceFile(file) ?? getSourceFile(file, version, ...rest);
  };
  const lenient = { ...options, noUnusedLocals: false, noUnusedParameters: false };
  const examples = ts.createProgram([...texts.keys()], lenient, host, program);
  return [...texts.keys()].flatMap((file) => {
    const source = examples.getSourceFile(file);
    return [...examples.getSyntacticDiagnostics(source), ...examples.getSemanticDiagnostics(source)].map(
      ({ messageText }) => `${path.basename(file)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
    );
  });
}

test('all examples compile', () => {
  const every = once([...settings, ...methods, ...functions, ...exported.map((symbol) => documented(symbol))]);
  const texts = new Map(
    every.flatMap(({ title, examples }) =>
      examples.map((example, index) => {
        const file = path.resolve('lib', `${title}-${index}.ts`).replaceAll('\\', '/');
        return [file, programOf(example)] as const;
      }),
    ),
  );
  expect(texts.size).toBeGreaterThan(80);
  expect(errorsOf(texts)).toEqual([]);
});

test('an example of an option that does not exist is an error', () => {
  const file = path.resolve('lib', 'wrong-0.ts').replaceAll('\\', '/');
  expect(errorsOf(new Map([[file, programOf('setupCache(axios.create(), { anything: 1 });')]]))).toEqual([
    expect.stringContaining('anything'),
  ]);
});
