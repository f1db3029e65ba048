import { expect, it } from 'vitest';
import { commandLine, modelAddress, shellQuoted, snippet } from './snippets';

const built = { name: 'nano', source: './models/nano' };

it('names a model so that other programs find it', () => {
  expect(modelAddress(built, 'https://a.example/demo/#x')).toBe('https://a.example/demo/models/nano');
  expect(modelAddress({ name: 'a/b', source: 'a/b' }, 'https://a.example/')).toBe('a/b');
  expect(modelAddress({ name: 'mine', source: {} }, 'https://a.example/')).toBe('./mine');
});

it('is a program that loads the model of the page', () => {
  expect(snippet([], { ...built, dtype: 'q8' }, '\nconsole.log(1);')).toBe(`\
// npm install modernbert-webgpu
import { loadModel } from 'modernbert-webgpu';

const model = await loadModel("./models/nano", { dtype: "q8" });
console.log(1);
`);
});

it('quotes for a shell what a shell would read', () => {
  expect(shellQuoted("it's $HOME")).toBe(`'it'\\''s $HOME'`);
  expect(commandLine('fill-mask', built, [{ text: "A\nb's END" }, { text: 'END' }], ['--labels', 'a b;rm'])).toBe(`\
npx modernbert-webgpu-cli fill-mask ./models/nano --labels 'a b;rm' <<'END'
{"text":"A\\nb's END"}
{"text":"END"}
END
`);
});
