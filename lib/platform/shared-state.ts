import { VERSION } from './version.js';

/**
 * Names the registry of this version on `globalThis`. A process loads both builds of the package as soon as a program
 * imports it and a library requires it; both must know the same installation, attachments and caches. Other versions of
 * the package have a registry of their own, since their state may have another form (docs/decisions/0016).
 */
const REGISTRY = /* @__PURE__ */ Symbol.for(`axios-keyv-cache@${VERSION}`);

type Registry = Map<string, object>;

/**
 * A value that all copies of this version of the package share.
 *
 * @param name one per value
 * @param create called by the copy that needs it first
 */
export function shared<T extends object>(name: string, create: () => T): T {
  const registry = findRegistry();
  let value = registry.get(name) as T | undefined;
  if (value === undefined) {
    value = create();
    registry.set(name, value);
  }
  return value;
}

/** Used if `globalThis` accepts no new properties: each copy then has a state of its own. */
let own: Registry | undefined;

function findRegistry(): Registry {
  const holder = globalThis as { [REGISTRY]?: Registry };
  const found = holder[REGISTRY] ?? own;
  if (found) return found;
  const registry: Registry = new Map();
  if (!Reflect.defineProperty(holder, REGISTRY, { value: registry })) own = registry;
  return registry;
}

/** The mark of a class, by which the copies of this version recognize each other's instances. */
export function brandOf(className: string): string {
  return `axios-keyv-cache@${VERSION}/${className}`;
}

/** A class, and its mark if it has one of its own. */
interface BrandedClass {
  readonly prototype: object;
  readonly brand?: string;
}

/**
 * `Symbol.hasInstance` of classes with a static `brand`: `instanceof` across the copies of the class. A subclass without
 * a brand of its own is compared as usual. A class has it as a method: some bundlers turn a static field into an assignment, which
 * fails, since the property that each function inherits is read-only.
 */
export function hasInstance(this: BrandedClass, value: unknown): boolean {
  if (Function.prototype[Symbol.hasInstance].call(this, value)) return true;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(this, 'brand')) return false;
  let prototype: object | null = Object.getPrototypeOf(value);
  while (prototype) {
    const made = prototype.constructor as Partial<BrandedClass> | undefined;
    if (made && Object.hasOwn(made, 'brand') && made.brand === this.brand) return true;
    prototype = Object.getPrototypeOf(prototype);
  }
  return false;
}
