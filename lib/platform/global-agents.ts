import * as http from 'node:http';
import * as https from 'node:https';

/** The methods of an agent that choose the connection or change the request. */
interface Connecting {
  readonly addRequest?: unknown;
  readonly createConnection?: unknown;
  readonly createSocket?: unknown;
}

interface AgentModule {
  readonly Agent: { readonly prototype: Connecting };
  readonly globalAgent?: Connecting & { readonly options?: Readonly<Record<string, unknown>> };
}

/** Of the modules themselves: their namespaces keep the first agents. */
const MODULES = { http: moduleOf(http), https: moduleOf(https) };
/** Options that Node.js gives to its global agents. */
const PLAIN_OPTIONS: ReadonlySet<string> = new Set([
  'defaultPort',
  'keepAlive',
  'noDelay',
  'path',
  'protocol',
  'proxyEnv',
  'scheduling',
  'timeout',
]);
function moduleOf(namespace: object): AgentModule {
  return ((namespace as { default?: object }).default ?? namespace) as AgentModule;
}

/**
 * Returns the agent of requests without one, if it has another class, methods or options than that of Node.js: a program may
 * replace or change it, for a client certificate or a proxy, for example.
 */
export function changedGlobalAgent(name: 'http' | 'https'): object | undefined {
  const { Agent, globalAgent } = MODULES[name];
  if (!globalAgent) return undefined;
  const usual = Agent.prototype;
  if (Object.getPrototypeOf(globalAgent) !== usual || isPatched(globalAgent, usual)) return globalAgent;
  for (const option in globalAgent.options) if (!PLAIN_OPTIONS.has(option)) return globalAgent;
  return undefined;
}

function isPatched(agent: Connecting, usual: Connecting): boolean {
  if (agent.addRequest !== usual.addRequest || agent.createConnection !== usual.createConnection) return true;
  return agent.createSocket !== usual.createSocket;
}
