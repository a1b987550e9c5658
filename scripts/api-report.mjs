// The public API as text: every export of the declarations, and every type that they name, without comments.
// `npm run api-report` writes docs/api-report.txt; a test compares it with the build.

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = path.join(root, 'dist');
export const REPORT = path.join(root, 'docs', 'api-report.txt');

/**
 * @param {string} [entry] the declarations, as a build writes them
 * @returns {string}
 */
export function apiReport(entry = path.join(dist, 'index.d.ts')) {
  const options = {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    skipLibCheck: true,
    types: [],
  };
  const program = ts.createProgram([entry], options);
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(entry);
  const module = source && checker.getSymbolAtLocation(source);
  if (!module) throw new Error(`${entry} is missing: npm run build`);

  const exported = checker.getExportsOfModule(module).map((symbol) => original(checker, symbol));
  const queue = new Set(exported);
  /** @type {Map<string, string>} */
  const sections = new Map();
  // A Set that grows during the iteration yields the new members too.
  for (const symbol of queue) {
    const statements = new Set((symbol.declarations ?? []).filter(isOwn).map(statementOf));
    for (const statement of statements) {
      const text = printed(statement);
      sections.set(text, `${symbol.name} ${exported.includes(symbol) ? 'export ' : ''}`);
      for (const named of namesIn(checker, statement)) queue.add(named);
    }
  }
  const sorted = [...sections].map(([text, name]) => ({ name, text })).sort((a, b) => (a.name < b.name ? -1 : 1));
  return `${sorted.map(({ name, text }) => name.slice(name.indexOf(' ') + 1) + text).join('\n\n')}\n`;
}

/**
 * @param {ts.TypeChecker} checker
 * @param {ts.Symbol} symbol
 */
function original(checker, symbol) {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

/** @param {ts.Statement} statement */
function printed(statement) {
  const printer = ts.createPrinter({ removeComments: true });
  const text = printer.printNode(ts.EmitHint.Unspecified, statement, statement.getSourceFile());
  return text.replace(/^(export )?(declare )?/, '');
}

/**
 * The symbols that a statement names and that are declared at the top of a file.
 *
 * @param {ts.TypeChecker} checker
 * @param {ts.Node} statement
 * @returns {ts.Symbol[]}
 */
function namesIn(checker, statement) {
  /** @type {ts.Symbol[]} */
  const found = [];
  /** @param {ts.Node} node */
  const visit = (node) => {
    const symbol = ts.isIdentifier(node) ? checker.getSymbolAtLocation(node) : undefined;
    if (symbol) found.push(original(checker, symbol));
    ts.forEachChild(node, visit);
  };
  visit(statement);
  return found.filter(({ declarations }) => declarations?.some(isAtTop));
}

/** @param {ts.Declaration} declaration */
function isAtTop(declaration) {
  const holder = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
  return holder.parent !== undefined && ts.isSourceFile(holder.parent);
}

/** @param {ts.Declaration} declaration */
function isOwn(declaration) {
  return (
    path.resolve(declaration.getSourceFile().fileName).startsWith(dist + path.sep) && !ts.isSourceFile(declaration)
  );
}

/**
 * @param {ts.Node} node
 * @returns {ts.Statement}
 */
function statementOf(node) {
  let statement = node;
  while (statement.parent && !ts.isSourceFile(statement.parent)) statement = statement.parent;
  return /** @type {ts.Statement} */ (statement);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(REPORT, apiReport());
