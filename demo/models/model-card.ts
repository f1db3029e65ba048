import type { Dtype } from '../../src/index';
import { element } from '../dom';
import { count, fileSize } from '../numbers';
import type { Candidate } from './candidates';
import { DTYPES } from './known-models';
import type { Recommendation } from './recommend';

/** A recommended model, with a button that takes it. `speed`: what is known of its speed here. */
export function modelCard(
  { model, dtype, pros, cons }: Recommendation,
  speed: string | undefined,
  isInUse: boolean,
  onUse: () => void,
): HTMLElement {
  const facts: [string, string | undefined][] = [
    ['Languages', model.languages],
    ['Download', model.isBuiltIn ? fileSize(model.download.most) : rangeOf(model)],
    ['On the GPU', `${fileSize(model.gpu[dtype])} as ${dtype}`],
    ['Speed here', speed ?? 'not measured yet'],
    ['Quality', qualityText(model)],
    ['Texts up to', `${count(model.maxTokens)} tokens`],
    ['Prompts', model.prompts.length > 0 ? model.prompts.join(', ') : undefined],
    ['Licence', model.licence],
  ];
  const list = facts.flatMap(([term, value]) =>
    value === undefined ? [] : [element('dt', {}, term), element('dd', {}, value)],
  );
  return element(
    'li',
    { className: 'card' },
    element('h3', {}, model.name),
    element('p', { className: 'good-for' }, model.goodFor),
    element(
      'p',
      { className: 'reasons' },
      element('span', { className: 'pros' }, sentence(pros)),
      ' ',
      element('span', { className: 'cons' }, sentence(cons)),
    ),
    element(
      'details',
      { open: matchMedia('(min-width: 36rem)').matches },
      element('summary', {}, 'Facts'),
      element('dl', {}, ...list),
    ),
    useButton(model.name, isInUse, onUse),
  );
}

/** A model of the long list. `chosen`: the precision whose size stands out. */
export function modelRow(model: Candidate, chosen: Dtype | undefined, onUse: () => void): HTMLElement {
  const facts = [
    model.languages,
    `${Math.round(model.parameters / 1e6)} M parameters`,
    `up to ${count(model.maxTokens)} tokens`,
    ...(model.prompts.length > 0 ? ['with prompts'] : []),
    model.licence,
  ];
  const sizes = model.isBuiltIn
    ? [
        element(
          'span',
          {},
          `${fileSize(model.download.most)} to download${model.dtype ? `, always as ${model.dtype}` : ''}`,
        ),
      ]
    : DTYPES.map((dtype) =>
        element(dtype === chosen ? 'strong' : 'span', {}, `${dtype} ${fileSize(model.gpu[dtype])}`),
      );
  const text = element(
    'span',
    {},
    element('span', {}, model.name),
    element(
      'span',
      { className: 'known-facts' },
      element('span', {}, facts.join(' · ')),
      element('span', { className: 'sizes' }, ...sizes),
    ),
  );
  return element('li', {}, text, useButton(model.name, false, onUse));
}

function useButton(name: string, isInUse: boolean, onUse: () => void): HTMLElement {
  const button = element('button', { type: 'button', className: 'use', ariaLabel: `Use ${name}` }, 'Use');
  if (isInUse) {
    button.textContent = 'In use';
    button.ariaLabel = `${name} is in use`;
    button.disabled = true;
  }
  button.addEventListener('click', onUse);
  return button;
}

/** What it is good at, as published or as measured for this repository. */
function qualityText({ quality }: Candidate): string {
  if (!quality) return 'not measured';
  const { measure, value, unit = '', source } = quality;
  const by = source.startsWith('training/') ? 'our measurement' : source;
  return `${measure}: ${value.toFixed(1)}${unit} (${by})`;
}

const rangeOf = ({ download: { least, most } }: Candidate): string => `${fileSize(least)} to ${fileSize(most)}`;

/** Reasons as a sentence: `Fits your GPU's memory; reads German.` */
export function sentence(reasons: string[]): string {
  const text = reasons.join('; ');
  return text && `${text[0].toUpperCase()}${text.slice(1)}.`;
}
