import type { Choice } from '../models/model-store';
import { commandLine, quoted, snippet } from '../take-away/snippets';
import type { Snippets } from '../take-away/take-away';

/** What is classified by labels alone. */
export interface ZeroShot {
  texts: string[];
  labels: string[];
  /** `{}` stands for the label. */
  template: string;
  multiLabel: boolean;
}

/** Lines that classify as the tab does. There is no command line where a label has a comma, which separates them there. */
export function zeroShotCode(choice: Choice, { texts, labels, template, multiLabel }: ZeroShot): Snippets {
  const list = (all: string[]) => `[${all.map((text) => `\n  ${quoted(text)},`).join('')}\n]`;
  const typescript = snippet(
    [],
    choice,
    `
const texts = ${list(texts)};
const labels = ${list(labels)};
const results = await model.zeroShot(texts, labels, {
  hypothesisTemplate: ${quoted(template)},
  multiLabel: ${multiLabel},
  truncate: true,
});
for (const [i, [best]] of results.entries()) console.log(texts[i], best.label, best.score);`,
  );
  if (labels.some((label) => label.includes(','))) return { typescript };
  const options = ['--labels', labels.join(','), '--hypothesis-template', template, '--truncate'];
  const rows = texts.map((text) => ({ text }));
  return {
    typescript,
    shell: commandLine('zero-shot', choice, rows, multiLabel ? [...options, '--multi-label'] : options),
  };
}
