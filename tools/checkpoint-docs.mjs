// `npm run docs`: writes docs/checkpoints.md from the reference checkpoints that the tests run (src/reference, tools/real). A
// test checks that it is current.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from './bundle.mjs';
import { realCheckpoints } from './real/prepare.mjs';

const FIXTURES = join(ROOT, 'src/reference/fixtures');

/** Parts of the table by how the cases' names begin; the first that fits. */
const PARTS = /** @type {const} */ ([
  ['Embeddings (`embed`)', /^(st|st5|poolings|static|whitespace)\b/],
  ['Multi-vector models (`embedMultiVector`)', /^(mv|pylate)\b/],
  ['Sparse embeddings (`embedSparse`)', /^splade\b|^sparse\b/],
  ['Cross-encoders (`rerank`)', /^(cross-encoder|st5-cross-encoder)/],
  ['LoRA adapters (`adapter`, `adapters`)', /lora/],
  ['Entities (`entities`)', /^gliner/],
  [
    'Other architectures than ModernBERT',
    /^(heads-|bert|roberta|xlm-roberta|mpnet|distilbert|electra|deberta|nomic-bert|gte|eurobert|jina)/,
  ],
  ['Classifiers, question answering, masked language models', /./],
]);

/**
 * @typedef {{ name: string, about: string, madeBy: Record<string, string>, calls: { call: string, tolerance?: number }[] }} Case
 * @returns {Case[]}
 */
const readCases = () =>
  readdirSync(FIXTURES)
    .sort()
    .filter((name) => existsSync(join(FIXTURES, name, 'expected.json')))
    .map((name) => ({ name, ...JSON.parse(readFileSync(join(FIXTURES, name, 'expected.json'), 'utf8')) }));

/** @param {Case} one */
const partOf = ({ name }) => {
  const isCrossEncoder = /^(cross-encoder|st5-cross-encoder)/.test(name);
  const found = PARTS.find(([title, pattern]) =>
    isCrossEncoder ? title.startsWith('Cross') : /lora/.test(name) ? title.startsWith('LoRA') : pattern.test(name),
  );
  return found ? found[0] : '';
};

/** The library that saved a case: the most specific of its versions. @param {Case} one */
const libraryOf = ({ madeBy }) => {
  const names = ['gliner', 'pylate', 'peft', 'sentence_transformers', 'transformers'];
  const [name] = names.filter((key) => madeBy[key]);
  return `${(name ?? '').replaceAll('_', '-')} ${madeBy[name ?? ''] ?? ''}`;
};

/** @param {Case} one */
const rowOf = (one) => {
  const calls = [...new Set(one.calls.map(({ call }) => `\`${call}\``))].join(', ');
  return `| ${one.about.replaceAll('|', '\\|')} | ${libraryOf(one)} | ${calls} |`;
};

/** Published weights, in a table: what they are, where the tests have them from, and their licences. */
const realTable = () => {
  const packagesOf = (/** @type {import('./real/prepare.mjs').RealCheckpoint} */ { packages }) =>
    `${packages.map(({ name }) => `\`${name}\``).join(', ')} ${packages[0].version}`;
  return [
    '| checkpoint | of | packages | licence |',
    '| --- | --- | --- | --- |',
    ...realCheckpoints().map(
      (one) => `| ${one.name}: ${one.about} | ${one.of} | ${packagesOf(one)} | ${one.licence} |`,
    ),
  ].join('\n');
};

/** @returns {string} the text of docs/checkpoints.md */
export const checkpointTable = () => {
  const cases = readCases();
  const parts = PARTS.map(([title]) => title).flatMap((title) => {
    const own = cases.filter((one) => partOf(one) === title);
    if (own.length === 0) return [];
    return [
      `## ${title}`,
      ['| checkpoint | saved by | compared calls |', '| --- | --- | --- |', ...own.map(rowOf)].join('\n'),
    ];
  });
  const intro = readFileSync(join(ROOT, 'src/reference/checkpoints.md'), 'utf8').trim();
  return `${[
    '# Which checkpoints run',
    '<!-- Written by `npm run docs` from the reference checkpoints of the tests (src/reference). Do not edit. -->',
    intro.replace('{count}', String(cases.length)),
    ...parts,
    '## Real weights',
    readFileSync(join(ROOT, 'tools/real/checkpoints.md'), 'utf8').trim(),
    realTable(),
  ].join('\n\n')}\n`;
};

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(join(ROOT, 'docs/checkpoints.md'), checkpointTable());
