// The vectors and their map, for other programs.
import { MAP_LEAST } from '../map/limits';
import type { TextMap } from '../map/text-map';
import type { Choice } from '../models/model-store';
import { plural } from '../numbers';
import { commandLine, quoted, snippet } from '../take-away/snippets';
import type { Exported, Snippets } from '../take-away/take-away';
import { callWorker } from '../worker-call';
import { startCalculator } from './calculator';
import type { AskedOptions } from './embed-options';
import { npy } from './npy';
import type { Result } from './result';
import type { Calculator } from './worker';

/** Texts that stand in lines of code; of more the first. */
const SHOWN = 10;

/** Lines that embed `texts`. */
export function embedCode(choice: Choice, texts: string[], { prompt, dimensions, truncate }: AskedOptions): Snippets {
  const shown = texts.slice(0, SHOWN);
  const rest = texts.length > SHOWN ? [`  // and ${plural(texts.length - SHOWN, 'more text')}`] : [];
  const options = [
    `prompt: ${quoted(prompt)}`,
    ...(dimensions ? [`dimensions: ${dimensions}`] : []),
    ...(truncate ? ['truncate: true'] : []),
  ];
  return {
    typescript: snippet(
      [],
      choice,
      [
        'const texts = [',
        ...shown.map((text) => `  ${quoted(text)},`),
        ...rest,
        '];',
        `const embeddings = await model.embed(texts, { ${options.join(', ')} });`,
        'console.log(embeddings.rows, embeddings.dim, embeddings.data);',
      ].join('\n'),
    ),
    shell: commandLine(
      'embed',
      choice,
      shown.map((text) => ({ text })),
      [
        '--prompt',
        prompt,
        ...(dimensions ? ['--dimensions', String(dimensions)] : []),
        ...(truncate ? ['--truncate'] : []),
      ],
    ),
  };
}

/** What a result gives to save. */
export function resultFiles(result: Result, map: Pick<TextMap, 'mapPng' | 'mapSvg'>): Exported[] {
  const { choice, options, items, embeddings } = result;
  const { data, rows, dim } = embeddings;
  const facts = { model: choice.name, prompt: options.prompt, dim, texts: items.map(({ text }) => text) };
  const json = async () => {
    const text = await callWorker<Calculator, string>(startCalculator, new AbortController().signal, (calculator) =>
      calculator.json(facts, data, rows, dim),
    );
    return new Blob([text], { type: 'application/json' });
  };
  const numbers = () => new Blob([npy(data, rows, dim)], { type: 'application/octet-stream' });
  return [
    { label: 'Vectors as JSON', name: 'embeddings.json', make: json },
    { label: 'Vectors as .npy', name: 'embeddings.npy', make: numbers },
    ...(rows < MAP_LEAST
      ? []
      : [
          { label: 'Map as PNG', name: 'map.png', make: map.mapPng },
          { label: 'Map as SVG', name: 'map.svg', make: map.mapSvg },
        ]),
  ];
}
