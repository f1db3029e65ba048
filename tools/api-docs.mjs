// `npm run docs`: writes docs/api.md, the API reference, from the doc comments of the entries' exports. A test checks that it is current.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'rolldown/utils';
import { ROOT } from './bundle.mjs';
import { ENTRIES } from './library.mjs';
import { anchorOf } from './links.mjs';

/**
 * @typedef {Record<string, any>} Node of rolldown's syntax tree
 * @typedef {{ name: string, kind: 'function' | 'class' | 'type', text: string }} Entry one exported name, as Markdown
 * @typedef {{ program: Node, source: string, comments: { value: string, start: number, end: number }[] }} Parsed
 */

/** @param {string} path @returns {Parsed} */
const parse = (path) => {
  const source = readFileSync(path, 'utf8');
  const { program, comments } = parseSync(path, source);
  return { program, source, comments };
};

/**
 * The doc comment that ends right before `node`, as Markdown: lines joined into paragraphs, one line per list item; indented lines are code.
 * @param {Parsed} file
 * @param {Node} node
 */
const docOf = ({ source, comments }, node) => {
  const comment = comments.findLast(({ end }) => end <= node.start);
  if (!comment?.value.startsWith('*') || source.slice(comment.end, node.start).trim() !== '') return '';
  return comment.value
    .slice(1)
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trimEnd())
    .join('\n')
    .trim()
    .split(/\n{2,}/)
    .map((part) => (part.startsWith('    ') ? code(part.replace(/^ {4}/gm, '')) : part.replace(/\n(?!-)/g, ' ')))
    .join('\n\n');
};

/** @param {string} text */
const code = (text) => `\`\`\`ts\n${text}\n\`\`\``;

/**
 * The text of a declaration without its body.
 * @param {Parsed} file
 * @param {Node} node
 */
const signatureOf = ({ source }, node) => {
  if (node.type === 'VariableDeclaration') {
    const { init } = node.declarations[0];
    const isFunction = init?.type === 'ArrowFunctionExpression';
    return source.slice(node.start, isFunction ? init.body.start : node.end).replace(/\s*=>\s*\(?$|;$/, '');
  }
  return source.slice(node.start, node.body?.start ?? node.end).replace(/;?\s*$/, '');
};

/**
 * The members of an interface, each with its comment.
 * @param {Parsed} file
 * @param {Node} node
 */
const membersOf = (file, node) =>
  node.body.body.map((/** @type {Node} */ member) => {
    const text = file.source
      .slice(member.start, member.end)
      .replace(/[;,]$/, '')
      .replace(/\s*\n\s*/g, ' ');
    const doc = docOf(file, member);
    return `- \`${text}\`${doc && `<br>${doc.replace(/\n+/g, ' ')}`}`;
  });

/**
 * @param {Parsed} file
 * @param {Node} statement export of a declaration
 * @param {Node[]} overloads its other ones, of a function
 * @returns {Entry}
 */
const entryOf = (file, statement, overloads) => {
  const node = statement.declaration;
  const name = (node.id ?? node.declarations[0].id).name;
  const doc = docOf(file, statement);
  const paragraphs = [`### ${name}`];
  if (node.type !== 'TSInterfaceDeclaration')
    paragraphs.push(code([node, ...overloads].map((one) => signatureOf(file, one)).join('\n')), doc);
  else {
    const bases = node.extends.map((/** @type {Node} */ base) => `\`${file.source.slice(base.start, base.end)}\``);
    paragraphs.push(
      doc,
      bases.length > 0 ? `Has all of ${bases.join(' and ')}, and:` : '',
      membersOf(file, node).join('\n'),
    );
  }
  const kind = /Interface|TypeAlias/.test(node.type) ? 'type' : node.type === 'ClassDeclaration' ? 'class' : 'function';
  return { name, kind, text: paragraphs.filter(Boolean).join('\n\n') };
};

/**
 * The exports of a module, re-exports included, in source order.
 * @param {string} path
 * @param {(name: string) => boolean} wanted
 * @returns {Entry[]}
 */
const exportsOf = (path, wanted = () => true) => {
  const file = parse(path);
  /** Of functions with overloads: callers see these alone. @type {Map<string, Node[]>} */
  const overloads = new Map();
  for (const { declaration } of file.program.body) {
    if (declaration?.type !== 'TSDeclareFunction') continue;
    overloads.set(declaration.id.name, [...(overloads.get(declaration.id.name) ?? []), declaration]);
  }
  return file.program.body.flatMap((/** @type {Node} */ statement) => {
    if (!/^Export(All|Named)Declaration$/.test(statement.type)) return [];
    const from = statement.source && moduleFile(path, statement.source.value);
    if (statement.type === 'ExportAllDeclaration') return exportsOf(from, wanted);
    if (statement.declaration) {
      const { declaration } = statement;
      const [first, ...more] = overloads.get(declaration.id?.name) ?? [declaration];
      return [entryOf(file, statement, more)].filter(({ name }) => first === declaration && wanted(name));
    }
    const names = statement.specifiers.map((/** @type {Node} */ { local }) => local.name);
    return from ? exportsOf(from, (name) => names.includes(name) && wanted(name)) : [];
  });
};

/** @param {string} importer @param {string} specifier */
const moduleFile = (importer, specifier) => {
  const path = resolve(dirname(importer), `${specifier}.ts`);
  if (!existsSync(path)) throw new Error(`${importer} exports from ${specifier}, which is not a source file.`);
  return path;
};

/**
 * The section of an entry beside those of pages and Node: the comment at its top, and its exports.
 * @param {string} name
 * @param {(entries: Entry[], where: string) => Entry[]} ownOf
 */
const otherEntry = (name, ownOf) => {
  const path = join(ROOT, `src/${name}.ts`);
  const [top] = parse(path).comments;
  const intro = top.value.replace(/^\*/, '').replace(/\s*\n\s*\* ?/g, ' ');
  return [`modernbert-webgpu/${name}`, intro.trim(), ownOf(exportsOf(path), name)];
};

/** @returns {string} the text of docs/api.md */
export const apiReference = () => {
  const browser = exportsOf(join(ROOT, 'src/index.ts'));
  const node = exportsOf(join(ROOT, 'src/node.ts'));
  /** @param {Entry[]} entries @param {Entry[]} others */
  const without = (entries, others) => entries.filter(({ text }) => !others.some((other) => other.text === text));
  /** What an entry has besides the page's, under names that say whose they are. @param {Entry[]} entries @param {string} where */
  const ownOf = (entries, where) =>
    without(entries, browser).map(({ name, text, kind }) => {
      const full = browser.some((other) => other.name === name) ? `${name} (${where})` : name;
      return { name: full, text: text.replace(`### ${name}`, `### ${full}`), kind };
    });
  const errors = browser.filter(({ kind }) => kind === 'class');
  const types = browser.filter((entry) => entry.kind === 'type' && without([entry], node).length === 0);
  const others = ENTRIES.filter((name) => !['index', 'worker', 'node'].includes(name));
  /** @type {[string, string, Entry[]][]} */
  const sections = [
    ['modernbert-webgpu', 'The entry for pages. The model runs in a worker.', without(browser, [...errors, ...types])],
    [
      'modernbert-webgpu/node',
      'The entry for Node, on the npm package `webgpu`. It exports these; all else is the same.',
      ownOf(node, 'Node'),
    ],
    ...others.map((name) => /** @type {[string, string, Entry[]]} */ (otherEntry(name, ownOf))),
    [
      'Errors',
      'Besides these the library throws `RangeError`, `TypeError` and the reason of an `AbortSignal`.',
      errors,
    ],
    ['Types', 'Exported by both entries.', types],
  ];
  /** @type {Map<string, number>} How many headings have an anchor: names may differ by case alone. */
  const used = new Map();
  const anchor = (/** @type {string} */ name) => {
    const plain = anchorOf(name);
    const before = used.get(plain) ?? 0;
    used.set(plain, before + 1);
    return before === 0 ? plain : `${plain}-${before}`;
  };
  const contents = sections.map(
    ([title, , entries]) => `- **${title}**: ${entries.map(({ name }) => `[${name}](#${anchor(name)})`).join(', ')}`,
  );
  const paragraphs = [
    '# API reference',
    '<!-- Written by `npm run docs` from the doc comments of the sources. Do not edit. -->',
    'One more entry, `modernbert-webgpu/worker`, is the script of the worker, for pages that start it themselves (`worker` of [BrowserLoadOptions](#browserloadoptions)).',
    contents.join('\n'),
    ...sections.flatMap(([title, intro, entries]) => [`## ${title}`, intro, ...entries.map(({ text }) => text)]),
  ];
  return `${paragraphs.join('\n\n')}\n`;
};

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(join(ROOT, 'docs/api.md'), apiReference());
