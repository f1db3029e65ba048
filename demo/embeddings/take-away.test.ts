import { expect, it } from 'vitest';
import { embedCode } from './take-away';

const choice = { name: 'org/model', source: 'org/model' };

it('gives lines that embed what the panel has, with its prompt and size', () => {
  const { typescript, shell } = embedCode(choice, ['a', 'b'], { prompt: 'query: ', dimensions: 128, truncate: false });
  expect(typescript).toContain('const texts = [\n  "a",\n  "b",\n];');
  expect(typescript).toContain('await model.embed(texts, { prompt: "query: ", dimensions: 128 });');
  expect(shell).toBe(
    `npx modernbert-webgpu-cli embed org/model --prompt 'query: ' --dimensions 128 <<'END'\n{"text":"a"}\n{"text":"b"}\nEND\n`,
  );
  const cut = embedCode(choice, ['a'], { prompt: '', dimensions: undefined, truncate: true });
  expect(cut.typescript).toContain('{ prompt: "", truncate: true }');
  expect(cut.shell).toContain("--prompt '' --truncate <<");
});

it('leaves out most of many texts, and says so', () => {
  const texts = Array.from({ length: 12 }, (_, i) => `text ${i}`);
  const { typescript } = embedCode(choice, texts, { prompt: '', dimensions: undefined, truncate: false });
  expect(typescript).toContain('  "text 9",\n  // and 2 more texts\n];');
});
