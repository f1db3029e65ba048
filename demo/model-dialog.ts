import type { Dtype } from '../src/index';
import { deleteCached, listCached } from '../src/index';
import type { BuiltIn } from './built-in';
import { element, find, showError } from './dom';
import { folderFiles } from './folder-files';
import { DTYPES, gpuBytes, type KnownModel, parametersOf } from './known-models';
import { type Choice, hubChoice } from './model-store';
import { count, fileSize } from './numbers';

/** So many dialogs there are: the radio buttons of each need a name of their own. */
let dialogs = 0;

/** What can be chosen: the models of the page, published ones, any Hub id, a folder; what is kept on the device can be deleted. */
export function createModelDialog(
  place: HTMLElement,
  { builtIn, suggestions }: { builtIn: BuiltIn[]; suggestions: KnownModel[] },
  onChoose: (choice: Choice) => void,
): { open(): void } {
  const dialog = find<HTMLDialogElement>(place, 'dialog');
  const error = find(dialog, '.choice-error');
  const dtypes = find<HTMLSelectElement>(dialog, '.dtype');
  const hubId = find<HTMLInputElement>(dialog, '.hub-id');
  const folder = find<HTMLInputElement>(dialog, '.folder');
  const group = `model-${++dialogs}`;

  const facts = suggestions.map(() => element('span', { className: 'known-facts' }));
  find(dialog, '.known').append(...suggestions.map(({ id }, i) => choiceOf('known', id, facts[i])));
  find(dialog, '.built-in').append(
    ...builtIn.map((model) =>
      choiceOf('built-in', model.name, element('span', { className: 'known-facts' }, ...builtInFacts(model))),
    ),
  );
  find(dialog, '.built-in-title').hidden = builtIn.length === 0;
  find<HTMLInputElement>(dialog, builtIn.length > 0 ? '.built-in input' : '.known input').checked = true;
  const radios = [...dialog.querySelectorAll<HTMLInputElement>('input[type=radio]')];
  const checked = () => radios.find((radio) => radio.checked)!;
  const dtype = () => (dtypes.value === 'auto' ? undefined : (dtypes.value as Dtype));

  /** What the dialog says; throws an Error in words if that is incomplete. */
  function choice(): Choice {
    const { value, dataset } = checked();
    if (value === 'hub') return hubChoice(hubId.value);
    if (value === 'folder') return folderFiles(folder.files ?? []);
    if (value === 'known') return hubChoice(dataset.id ?? '');
    return builtIn.find(({ name }) => name === dataset.id)!; // its radio button is there only with it
  }

  function choose(chosen: Choice) {
    dialog.close();
    onChoose(chosen);
  }

  function showSizes() {
    for (const [i, model] of suggestions.entries()) facts[i].replaceChildren(...factsOf(model, dtype()));
  }

  async function showKept() {
    const list = find(dialog, '.kept');
    const models = await listCached();
    find(dialog, '.kept-none').hidden = models.length > 0;
    list.replaceChildren(
      ...models.map((model) => {
        const { source, dtype } = model;
        const name = source.replace(/^.*\/(?=models\/)/, '');
        const use = element('button', { type: 'button', ariaLabel: `Use ${name}, ${dtype}` }, 'Use');
        use.addEventListener('click', () => choose({ name, source, dtype }));
        const remove = element('button', { type: 'button', ariaLabel: `Delete ${name}, ${dtype}` }, 'Delete');
        remove.addEventListener('click', async () => {
          remove.disabled = true;
          await deleteCached(model).catch((reason) => showError(error, reason));
          await showKept();
          (dialog.querySelector<HTMLElement>('.kept button') ?? find(dialog, '.close')).focus(); // its own is gone
        });
        const size = element('span', { className: 'known-facts' }, `${dtype}, ${fileSize(model.bytes)}`);
        return element('li', {}, element('span', {}, element('span', {}, name), size), use, remove);
      }),
    );
  }

  for (const radio of radios) {
    radio.name = group;
    radio.addEventListener('change', () => {
      for (const detail of dialog.querySelectorAll<HTMLElement>('[data-for]')) {
        detail.hidden = detail.dataset.for !== checked().value;
      }
    });
  }
  for (const title of dialog.querySelectorAll<HTMLElement>('.known-title')) title.hidden = suggestions.length === 0;
  dtypes.addEventListener('change', showSizes);
  find(dialog, '.close').addEventListener('click', () => dialog.close());
  function load() {
    let chosen: Choice;
    try {
      const of = choice();
      chosen = { ...of, dtype: of.dtype ?? dtype() }; // a converted file is of one dtype
    } catch (reason) {
      return showError(error, reason);
    }
    choose(chosen);
  }
  find(dialog, '.load').addEventListener('click', load);
  hubId.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') load();
  });

  return {
    open() {
      showError(error, undefined);
      showSizes();
      dialog.showModal();
      showKept().catch((reason) => showError(error, reason));
    },
  };
}

/** A model to choose, with its facts. `value`: of which kind. */
function choiceOf(value: 'built-in' | 'known', id: string, facts: HTMLElement): HTMLElement {
  const radio = element('input', { type: 'radio', value });
  radio.dataset.id = id;
  return element('label', { className: 'choice' }, radio, element('span', {}, element('span', {}, id), facts));
}

/** What a model of the page is, and its download. */
export function builtInFacts({ bytes, parameters, maxTokens, dtype }: BuiltIn): HTMLElement[] {
  const facts = ['English', `${parameters} M parameters`, `up to ${count(maxTokens)} tokens`, 'Apache-2.0'];
  return [
    element('span', {}, facts.join(' · ')),
    element('span', { className: 'sizes' }, `${fileSize(bytes)} to download${dtype ? `, always as ${dtype}` : ''}`),
  ];
}

/** What a published model is, and its size on the GPU in each precision; the one that is chosen stands out. */
export function factsOf(model: KnownModel, chosen: Dtype | undefined): HTMLElement[] {
  const facts = [
    model.languages,
    `${Math.round(parametersOf(model) / 1e6)} M parameters`,
    `up to ${count(model.maxTokens)} tokens`,
    ...(model.prompts ? ['with prompts'] : []),
    model.licence ?? 'licence: see its page',
  ];
  const sizes = DTYPES.map((dtype) =>
    element(dtype === chosen ? 'strong' : 'span', {}, `${dtype} ${fileSize(gpuBytes(model, dtype))}`),
  );
  return [element('span', {}, facts.join(' · ')), element('span', { className: 'sizes' }, ...sizes)];
}
