import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import axios from 'axios';
import { type CacheOptions, setupCache } from '../../lib/index.js';
import { callSettings, InstanceSettings } from '../../lib/settings/instance.js';

const FOR_EVER = { seconds: Number.POSITIVE_INFINITY };

function compiled(options: CacheOptions, baseURL?: string) {
  return new InstanceSettings(options, () => baseURL).compiled;
}

function ofRequest(options: CacheOptions, config: object) {
  return callSettings(compiled(options), config);
}

describe('null and undefined as lifetimes', () => {
  test('null of an instance or a URL pattern never expires', () => {
    expect(compiled({ expireAfter: null }).expireAfter).toEqual(FOR_EVER);
    expect(compiled({ urlsExpireAfter: { 'a.com': null } }).urlsExpireAfter[0]?.[1]).toEqual(FOR_EVER);
    expect(new InstanceSettings({ expireAfter: null }).view.expireAfter).toBeNull();
  });

  test('a request refuses null', () => {
    expect(() => ofRequest({}, { expireAfter: null })).toThrow('expireAfter: null is not accepted');
  });

  test('undefined of a URL pattern leaves it to the instance', () => {
    expect(compiled({ urlsExpireAfter: { 'a.com': undefined } }).urlsExpireAfter[0]?.[1]).toBeUndefined();
    expect(compiled({ urlsExpireAfter: [[/a/, undefined]] }).urlsExpireAfter[0]?.[1]).toBeUndefined();
  });

  test('a written null is kept', () => {
    const { view } = new InstanceSettings({ expireAfter: 5 });
    view.expireAfter = null;
    expect(view.expireAfter).toBeNull();
    view.expireAfter = undefined;
    expect(view.expireAfter).toBe(-1);
  });
});

describe('a single string is a list of one', () => {
  test.each<[CacheOptions, string, unknown]>([
    [{ allowableMethods: 'post' }, 'allowableMethods', new Set(['POST'])],
    [{ includeGetHeaders: 'Accept' }, 'matchHeaders', ['accept']],
    [{ matchHeaders: 'Accept' }, 'matchHeaders', ['accept']],
    [{ ignoredParameters: 'Token' }, 'ignoredParameters', new Set(['token'])],
    [{ credentialNames: 'X-Device_Id' }, 'credentialNames', new Set(['xdeviceid'])],
    [{ targetedFields: 'CDN-Cache-Control' }, 'targetedFields', ['cdn-cache-control']],
    [{ tags: 'a' }, 'tags', { names: ['a'], functions: [] }],
  ])('%j', (options, name, expected) => {
    expect(Object.entries(compiled(options)).find(([found]) => found === name)?.[1]).toEqual(expected);
  });

  test('of invalidates, too', () => {
    const { invalidates } = ofRequest({}, { invalidates: 'a.com/b' });
    expect([invalidates?.ownUrl, invalidates?.patterns.map(({ source }) => source)]).toEqual([false, ['a.com/b']]);
    expect(ofRequest({}, { invalidates: { urls: 'a.com', tags: 'x' } }).invalidates?.tags).toEqual(['x']);
  });
});

describe('defaults that depend on cacheControl', () => {
  const shown = (options: CacheOptions) => {
    const { expireAfter, allowableCodes, allowableMethods } = new InstanceSettings(options).view;
    return [expireAfter, allowableCodes, allowableMethods];
  };

  test('are shown without it, and unset with it', () => {
    expect(shown({})).toEqual([-1, [200], ['GET', 'HEAD']]);
    expect(shown({ cacheControl: true })).toEqual([undefined, undefined, undefined]);
    expect(shown({ cacheControl: true, expireAfter: 1, allowableCodes: [404] })).toEqual([1, [404], undefined]);
  });

  test('follow a request that switches it on or off', () => {
    const settings = ofRequest({}, { cacheControl: true });
    expect([settings.expireAfter, settings.allowableCodes, settings.allowableMethods]).toEqual(
      Array.from({ length: 3 }, () => undefined),
    );
    expect(ofRequest({ cacheControl: true, allowableCodes: [404] }, { cacheControl: false }).allowableCodes).toEqual(
      new Set([404]),
    );
  });
});

describe('tags', () => {
  test('of instance and request add up, each once', () => {
    expect(ofRequest({ tags: ['a', 'b'] }, { tags: ['b', 'c'] }).tags.names).toEqual(['a', 'b', 'c']);
    expect(ofRequest({ tags: 'a' }, {}).tags.names).toEqual(['a']);
  });

  test('functions add up, too', () => {
    const [one, two] = [() => 'a', () => ['b']];
    expect(ofRequest({ tags: one }, { tags: two }).tags).toEqual({ names: [], functions: [one, two] });
    expect(ofRequest({ tags: one }, { tags: 'c' }).tags).toEqual({ names: ['c'], functions: [one] });
  });

  test('together at most 128', () => {
    const tags = Array.from({ length: 128 }, (_, index) => String(index));
    expect(() => ofRequest({ tags }, { tags: 'more' })).toThrow('tags: "129 tags" is not accepted');
  });
});

describe('times', () => {
  test.each<[CacheOptions, object]>([
    [{ maxAge: '5m' }, { maxAge: { seconds: 300 } }],
    [{ maxAge: 0 }, { maxAge: { seconds: 0 } }],
    [{ maxAge: new Date(5) }, { maxAge: { at: 5 } }],
    [{ networkFirst: true }, { networkFirst: Number.POSITIVE_INFINITY }],
    [{ networkFirst: false }, { networkFirst: undefined }],
    [{ networkFirst: '1.5s' }, { networkFirst: 1.5 }],
    [{ networkFirst: 2 }, { networkFirst: 2 }],
    [{ lease: true }, { lease: 10 }],
    [{ lease: 0.5 }, { lease: 0.5 }],
  ])('%j', (options, expected) => {
    expect(compiled(options)).toMatchObject(expected);
  });
});

describe('invalidates', () => {
  test.each<[unknown, boolean, readonly (string | RegExp)[], readonly string[]]>([
    [true, true, [], []],
    [['a.com', /b/], false, ['a.com', /b/], []],
    [/b/, false, [/b/], []],
    [{ urls: true }, true, [], []],
    [{ urls: ['a.com'], tags: ['x', 'y'] }, false, ['a.com'], ['x', 'y']],
    [{ tags: 'x' }, false, [], ['x']],
    [{}, false, [], []],
    [[], false, [], []],
  ])('%p', (value, ownUrl, sources, tags) => {
    const rules = ofRequest({}, { invalidates: value }).invalidates;
    expect(rules?.patterns.map(({ source }) => source)).toEqual(sources);
    expect(rules).toMatchObject({ ownUrl, tags });
  });

  test('a path is combined with the baseURL of the request', () => {
    const config = { baseURL: 'https://api.example.com/v1', invalidates: '/posts' };
    const pattern = ofRequest({}, config).invalidates?.patterns[0];
    expect(pattern?.matches('https://api.example.com/v1/posts/1')).toBe(true);
    expect(() => ofRequest({}, { invalidates: '/posts' })).toThrow('invalidates: "/posts" is not accepted');
    expect(() => ofRequest({}, { baseURL: '/api', invalidates: '/posts' })).toThrow(TypeError);
  });
});

describe('paths in urlsExpireAfter', () => {
  const options: CacheOptions = { backend: 'memory', urlsExpireAfter: { '/slow': 5 } };
  const matches = (settings: InstanceSettings, url: string) => settings.compiled.urlsExpireAfter[0]?.[0].matches(url);

  test('are combined with the baseURL of the instance, also if that changes', () => {
    let baseURL: string | undefined = 'https://a.example';
    const settings = new InstanceSettings(options, () => baseURL);
    expect([matches(settings, 'https://a.example/slow'), matches(settings, 'https://b.example/slow')]).toEqual([
      true,
      false,
    ]);
    baseURL = 'https://b.example/v2';
    expect(matches(settings, 'https://b.example/v2/slow')).toBe(true);
    baseURL = undefined;
    expect(matches(settings, 'https://b.example/v2/slow')).toBe(true);
  });

  test('of a child with its own', () => {
    const parent = new InstanceSettings(options, () => 'https://a.example');
    const child = parent.copy(() => 'https://b.example');
    expect([matches(child, 'https://b.example/slow'), matches(child, 'https://a.example/slow')]).toEqual([true, false]);
  });

  test('throw without one', () => {
    expect(() => setupCache(axios.create(), options)).toThrow('urlsExpireAfter: "/slow" is not accepted');
  });
});

describe('an option and its alias', () => {
  test.each<[CacheOptions]>([
    [{ matchHeaders: ['Accept'], includeGetHeaders: 'accept' }],
    [{ matchHeaders: ['A', 'B'], includeGetHeaders: ['b', 'a'] }],
    [{ oldDataOnError: '1h', staleIfError: 3_600 }],
    [{ oldDataOnError: { codes: [500, 503] }, staleIfError: { codes: [503, 500] } }],
    [{ oldDataOnError: true, staleIfError: undefined }],
  ])('may both be set to the same: %j', (options) => {
    expect(() => compiled(options)).not.toThrow();
  });

  test.each<[CacheOptions]>([
    [{ matchHeaders: ['a'.repeat(100)], includeGetHeaders: [`${'a'.repeat(99)}b`] }],
    [{ oldDataOnError: '1h', staleIfError: '2h' }],
    [{ oldDataOnError: true, staleIfError: { codes: [500] } }],
    [{ oldDataOnError: false, staleIfError: true }],
  ])('must not differ: %j', (options) => {
    expect(() => compiled(options)).toThrow(/^(includeGetHeaders|oldDataOnError): .* the same value as its alias/);
  });
});

test('values of another realm are accepted', () => {
  const options = runInNewContext(
    `({ expireAfter: { minutes: 5 }, urlsExpireAfter: { 'a.com': new Date(5) }, oldDataOnError: { limit: 1 } })`,
  );
  const settings = compiled(options);
  expect(settings.expireAfter).toEqual({ seconds: 300 });
  expect(settings.urlsExpireAfter[0]?.[1]).toEqual({ at: 5 });
  expect(settings.staleIfError).toEqual({ limit: 1 });
  expect(ofRequest({}, { invalidates: runInNewContext('[/a/]') }).invalidates?.patterns).toHaveLength(1);
});
