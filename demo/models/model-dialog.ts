// What opens when a model is to be chosen: three that suit this device and the user's texts, all others, and what is kept. Loaded when it is first wanted.
import type { Dtype } from '../../src/index';
import { element, find, showError } from '../dom';
import { folderFiles } from '../files/folder-files';
import type { BuiltIn } from './built-in';
import { type Candidate, candidatesFor } from './candidates';
import { type Device, firstLanguage, readDevice } from './device-facts';
import type { Use } from './known-models';
import { modelCard, modelRow } from './model-card';
import './model-dialog.css';
import { plural } from '../numbers';
import { createStorageView } from '../storage/storage-view';
import type { TabState } from '../tab-state';
import html from './model-dialog.html?raw';
import { type Choice, hubChoice } from './model-store';
import { isLanguage, languageName, recommend } from './recommend';
import { measuredOf, readSpeeds, speedText } from './speed';

/** So many are recommended; the others are under “More models”. */
const RECOMMENDED = 3;
/** Languages that the user can choose from, besides the browser's own. */
const LANGUAGES = 'en ar zh nl fr de hi it ja ko pl pt ru es tr uk'.split(' ');

interface DialogOptions {
  use: Use;
  builtIn: BuiltIn[];
  state: TabState;
  /** What gets the focus when the dialog closes. */
  change: HTMLElement;
}

/** Puts the dialog into `place`. `onChoose` hears what the user takes. */
export function createModelDialog(
  place: HTMLElement,
  { use, builtIn, state, change }: DialogOptions,
  onChoose: (choice: Choice) => void,
): { open(current: Choice): void } {
  const dialog = element('dialog', { className: 'model-dialog', ariaLabel: 'Choose a model', innerHTML: html });
  place.append(dialog);
  const error = find(dialog, '.choice-error');
  const language = find<HTMLSelectElement>(dialog, '.language');
  const dtypes = find<HTMLSelectElement>(dialog, '.dtype');
  const hubId = find<HTMLInputElement>(dialog, '.hub-id');
  const folder = find<HTMLInputElement>(dialog, '.folder');
  const filter = find<HTMLInputElement>(dialog, '.filter');
  const models = candidatesFor(use, builtIn);
  let device: Device | undefined;
  let current: Choice | undefined;

  const dtype = () => (dtypes.value === 'auto' ? undefined : (dtypes.value as Dtype));

  function choose(choice: Choice) {
    dialog.close();
    onChoose(choice);
  }

  /** Takes what `make` gives, in the precision that the list of them says; what it throws stands in `place`. */
  function take(make: () => Choice, place: HTMLElement) {
    showError(place, undefined);
    let choice: Choice;
    try {
      choice = make();
    } catch (reason) {
      return showError(place, reason);
    }
    choose({ ...choice, dtype: choice.dtype ?? dtype() }); // a converted file is of one dtype
  }

  const choiceOf = ({ name, source, dtype }: Candidate): Choice => ({ name, source, dtype });

  function showCards() {
    if (!device) return;
    const facts = { ...device, language: language.value };
    const speeds = readSpeeds();
    const measured = measuredOf(models, device.adapter, speeds);
    const cards = recommend(use, facts, models).slice(0, RECOMMENDED);
    find(dialog, '.cards').replaceChildren(
      ...cards.map((card) => {
        const { model, dtype } = card;
        const choice = { ...choiceOf(model), dtype: model.isBuiltIn ? model.dtype : dtype };
        const isInUse = current?.source === model.source && current.dtype === choice.dtype;
        const speed = speedText(model, dtype, device?.adapter, speeds, measured);
        return modelCard(card, speed, isInUse, () => choose(choice));
      }),
    );
  }

  function showRows() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const textOf = (model: Candidate) => `${model.name} ${model.languages} ${model.licence}`.toLowerCase();
    const found = models.filter((model) => words.every((word) => textOf(model).includes(word)));
    find(dialog, '.known-count').textContent = words.length === 0 ? '' : `${plural(found.length, 'model')} found`;
    find(dialog, '.known').replaceChildren(
      ...found.map((model) => modelRow(model, dtype(), () => take(() => choiceOf(model), error))),
    );
  }

  async function showDevice() {
    const place = find(dialog, '.device');
    if (!device) place.textContent = 'Looking at this device …';
    device = await readDevice();
    place.textContent = deviceText(device);
    showCards();
  }

  const kept = state.get('language') ?? '';
  const first = isLanguage(kept) ? kept : firstLanguage();
  language.append(
    ...[...new Set([...LANGUAGES, first])]
      .filter((code) => code !== 'mul')
      .map((code) => element('option', { value: code }, languageName(code))),
    element('option', { value: 'mul' }, languageName('mul')),
  );
  language.value = first;
  language.addEventListener('change', () => {
    state.keep('language', language.value);
    showCards();
  });
  dtypes.addEventListener('change', showRows);
  filter.addEventListener('input', showRows);
  const takeHub = () => take(() => hubChoice(hubId.value), find(dialog, '.hub-error'));
  find(dialog, '.use-hub').addEventListener('click', takeHub);
  hubId.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return;
    event.preventDefault(); // the picker may stand in a form
    takeHub();
  });
  find(dialog, '.use-folder').addEventListener('click', () =>
    take(() => folderFiles(folder.files ?? []), find(dialog, '.folder-error')),
  );
  find(dialog, '.close').addEventListener('click', () => dialog.close());
  dialog.addEventListener('close', () => change.focus());
  const storage = createStorageView(find(dialog, '.storage'), ({ name, source, dtype }) =>
    choose({ name, source, dtype }),
  );

  return {
    open(chosen) {
      current = chosen;
      for (const place of dialog.querySelectorAll<HTMLElement>('.error')) showError(place, undefined);
      showRows();
      showCards();
      dialog.showModal();
      showDevice().catch((reason) => showError(error, reason));
      void storage.update();
    },
  };
}

function deviceText({ adapter, memory, message }: Device): string {
  const gib = memory && memory / 2 ** 30;
  const known = [adapter, gib && `${gib >= 8 ? '8 GB of memory or more' : `${gib} GB of memory`}`];
  return [known.filter(Boolean).join(' · '), message].filter(Boolean).join('. ');
}
