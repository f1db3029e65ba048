// What cosines mean in one long text: node tools/run.mjs training/eval/late.ts FOLDER [DTYPE]
// The best passage's cosine to questions that the text answers, and to as many that it does not; as the demo's tab for long texts reads it.
import { readFileSync } from 'node:fs';
import type { Passage } from '../../demo/long/passages';
import { embedQuestion, prepare, readPassages, windowsFor } from '../../demo/long/read';
import { cosinesTo, ranked } from '../../demo/long/scores';
import type { Dtype } from '../../src/api/types';
import { loadModel } from '../../src/node';
import { sampleDocuments } from '../../tools/sample.mjs';

interface Asked {
  name: string;
  text: string;
  questions: { question: string; isRight(passage: Passage): boolean }[];
}

type Pairs = [question: string, pattern: string][];

/** Answers that are put together to one text, and such texts. */
const [TOGETHER, TEXTS] = [25, 8];
/** Characters of an answer: shorter ones say nothing without their question. */
const [LEAST, MOST] = [200, 1500];
const STEP = 0.05;

const read = (name: string) => JSON.parse(readFileSync(`training/eval/${name}.json`, 'utf8'));
const { signal } = new AbortController();

const asked = (name: string, text: string, pairs: Pairs): Asked => ({
  name,
  text,
  questions: pairs.map(([question, pattern]) => ({
    question,
    isRight: ({ start, end }) => new RegExp(pattern, 'is').test(text.slice(start, end)),
  })),
});

function ownTexts(): Asked[] {
  const { texts, chapters } = read('late') as {
    texts: { name: string; paragraphs: string[]; questions: Pairs }[];
    chapters: { place: string; questions: Pairs }[];
  };
  const sample = sampleDocuments('public/samples/moby-dick.safetensors');
  return [
    ...texts.map(({ name, paragraphs, questions }) => asked(name, paragraphs.join('\n\n'), questions)),
    ...chapters.map(({ place, questions }) => {
      const chapter = sample.find(({ metadata }) => String(metadata?.place).startsWith(place));
      return asked(place, chapter?.text ?? '', questions);
    }),
  ];
}

/** The answers of the set `question`, one after the other. */
function answers(): Asked[] {
  const all: { query: string; passage: string }[] = read('sets/question').pairs;
  const pairs = all.filter(({ passage }) => passage.length > LEAST && passage.length < MOST);
  return Array.from({ length: Math.min(TEXTS, Math.floor(pairs.length / TOGETHER)) }, (_, i) => {
    let text = '';
    const questions = pairs.slice(i * TOGETHER, (i + 1) * TOGETHER).map(({ query, passage }) => {
      const from = text.length;
      text += `${passage.trim()}\n\n`;
      const to = text.length - 2;
      return { question: query, isRight: ({ start, end }: Passage) => start < to && end > from };
    });
    return { name: `answers ${i + 1}`, text, questions };
  });
}

const [folder, dtype] = process.argv.slice(2);
const model = await loadModel(folder, { dtype: dtype as Dtype | undefined });
const own: { best: number; isRight: boolean }[] = [];
const others: number[] = [];
for (const texts of [ownTexts(), answers()]) {
  for (const [at, { name, text, questions }] of texts.entries()) {
    const { passages, room } = await prepare(model, text, signal, () => {});
    const vectors = await readPassages(model, text, passages, windowsFor(passages, room), { signal, onPass() {} });
    const bestOf = async (question: string) => {
      const scores = cosinesTo(await embedQuestion(model, question, signal), vectors.passages);
      const [best] = ranked(scores);
      return { best: scores[best], passage: passages[best] };
    };
    let right = 0;
    for (const { question, isRight } of questions) {
      const { best, passage } = await bestOf(question);
      own.push({ best, isRight: isRight(passage) });
      right += Number(isRight(passage));
    }
    // As many, spread over all other texts of the kind.
    const rest = texts.flatMap(({ questions }, i) => (i === at ? [] : questions));
    const apart = Math.floor(rest.length / questions.length);
    for (const i of questions.keys()) others.push((await bestOf(rest[(i * apart + at) % rest.length].question)).best);
    console.error(`${name}: ${passages.length} passages, ${right} of ${questions.length} right`);
  }
}
await model.dispose();

const bin = (x: number) => Math.floor(x / STEP + 1e-9);
const bins = [...new Set([...own.map(({ best }) => bin(best)), ...others.map(bin)])].sort((a, b) => a - b);
console.log('| cosine from | best of the own text | right | best where nothing answers | right of both |');
console.log('| ---: | ---: | ---: | ---: | ---: |');
for (const one of bins) {
  const found = own.filter(({ best }) => bin(best) === one);
  const wrong = others.filter((best) => bin(best) === one).length;
  const right = found.filter(({ isRight }) => isRight).length;
  const percent = (of: number) => `${of === 0 ? 0 : Math.round((100 * right) / of)}%`;
  const cells = [(one * STEP).toFixed(2), found.length, percent(found.length), wrong, percent(found.length + wrong)];
  console.log(`| ${cells.join(' | ')} |`);
}
process.exit(0);
