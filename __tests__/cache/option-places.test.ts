import { describe, expect, test } from '@jest/globals';
import { BACKEND_OPTION_NAMES, backendsWith, COMMON_BACKEND_OPTION_NAMES } from '../../lib/cache/option-places.js';
import {
  DynamoDbCache,
  FileCache,
  GridFSCache,
  MemoryCache,
  MongoCache,
  RedisCache,
  SqliteCache,
} from '../../lib/index.js';
import { STORE_OPTIONS } from '../../lib/settings/schema.js';

const CLASSES = {
  sqlite: SqliteCache,
  redis: RedisCache,
  mongodb: MongoCache,
  gridfs: GridFSCache,
  dynamodb: DynamoDbCache,
  filesystem: FileCache,
  memory: MemoryCache,
};

/** The names that a class says it accepts. */
function acceptedBy(CacheClass: new (options: object) => object): readonly string[] {
  try {
    new CacheClass({ noSuchOption: 1 });
  } catch (error) {
    return String(error).split('expected one of ')[1]?.split(', ') ?? [];
  }
  return [];
}

describe('the table of backend options is that of the classes', () => {
  test('of every class', () => {
    expect(Object.keys(BACKEND_OPTION_NAMES).sort()).toEqual(Object.keys(CLASSES).sort());
  });

  test.each(Object.entries(CLASSES))('%s', (backend, CacheClass) => {
    const others: readonly string[] = [...COMMON_BACKEND_OPTION_NAMES, ...STORE_OPTIONS];
    const own = acceptedBy(CacheClass).filter((name) => !others.includes(name));
    expect([...(BACKEND_OPTION_NAMES[backend] ?? [])].sort()).toEqual([...own].sort());
  });
});

test('backendsWith names the backends of an option', () => {
  expect(backendsWith('bucket')).toBe('gridfs');
  expect(backendsWith('maxSize')).toBe('sqlite, filesystem, memory');
  expect(backendsWith('noSuchOption')).toBeUndefined();
});
