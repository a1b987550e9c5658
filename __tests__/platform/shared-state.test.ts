import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { BaseCache, CachedRequest, CachedResponse, CacheError } from '../../lib/index.js';
import { brandOf, hasInstance, shared } from '../../lib/platform/shared-state.js';
import { VERSION } from '../../lib/platform/version.js';

/** As the two builds of the package have it: two classes of one name. */
function copyOfClasses() {
  class Base {
    static readonly brand: string = brandOf('Base');
    static readonly [Symbol.hasInstance] = hasInstance;
    readonly value = 1;
  }
  class Branded extends Base {
    static override readonly brand: string = brandOf('Branded');
  }
  class Plain extends Base {}
  return { Base, Branded, Plain };
}

test('the version is that of package.json', () => {
  expect(JSON.parse(readFileSync('package.json', 'utf8'))).toMatchObject({ version: VERSION });
});

describe('shared', () => {
  test('creates a value once, under a symbol that names the version', () => {
    const first = shared('test', () => ({}));
    expect(shared('test', () => ({}))).toBe(first);
    const symbols = Object.getOwnPropertySymbols(globalThis).map((symbol) => Symbol.keyFor(symbol));
    expect(symbols).toContain(`axios-keyv-cache@${VERSION}`);
    expect(Object.keys(globalThis)).not.toContain(`axios-keyv-cache@${VERSION}`);
  });
});

describe('hasInstance', () => {
  const one = copyOfClasses();
  const other = copyOfClasses();
  test.each<[string, unknown, new () => object, boolean]>([
    ['its own instance', new one.Base(), one.Base, true],
    ["the other copy's instance", new other.Base(), one.Base, true],
    ["the other copy's branded subclass", new other.Branded(), one.Branded, true],
    ['a branded subclass, of its base', new other.Branded(), one.Base, true],
    ['the base, of a branded subclass', new other.Base(), one.Branded, false],
    ['a subclass without a brand, of the base', new other.Plain(), one.Base, true],
    ['the base, of a subclass without a brand', new other.Base(), one.Plain, false],
    ['its own instance of a subclass without a brand', new one.Plain(), one.Plain, true],
    ["the other copy's instance of a subclass without a brand", new other.Plain(), one.Plain, false],
    ["the prototype of the other copy's subclass", other.Plain.prototype, one.Base, true],
    ['an object that only has the brand itself', { brand: one.Base.brand }, one.Base, false],
    ['an object without a prototype', Object.create(null), one.Base, false],
    ['null', null, one.Base, false],
    ['undefined', undefined, one.Base, false],
    ['a text', 'Base', one.Base, false],
    ['a function', () => {}, one.Base, false],
  ])('%s', (_, value, asked, expected) => {
    expect(value instanceof asked).toBe(expected);
  });
});

test.each([[BaseCache], [CacheError], [CachedRequest], [CachedResponse]])(
  '%p has it as a method, which bundlers do not turn into an assignment',
  (one) => {
    const { enumerable, value } = Object.getOwnPropertyDescriptor(one, Symbol.hasInstance) ?? {};
    expect([enumerable, typeof value]).toEqual([false, 'function']);
  },
);
