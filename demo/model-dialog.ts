import type { Dtype } from '../src/index';
import { deleteCached, listCached } from '../src/index';
import { element, find, showError } from './dom';
import { folderFiles } from './folder-files';
import { gpuBytes, type KnownModel, parametersOf } from './known-models';
import { type Choice, hubChoice } from './model-store';
import { fileSize } from './numbers';

/** So many dialogs there are: the radio buttons of each need a name of their own. */
let dialogs = 0;

/** What can be chosen: a model of the page, published ones, any Hub id, a folder; what is kept on the device can be deleted. */
export function createModelDialog(
  place: HTMLElement,
  { builtIn, suggestions }: { builtIn?: Choice; suggestions: KnownModel[] },
  onChoose: (choice: Choice) => void,
): { open(): void } {
  const dialog = find<HTMLDialogElement>(place, 'dialog');
  const error = find(dialog, '.choice-error');
  const dtypes = find<HTMLSelectElement>(dialog, '.dtype');
  const hubId = find<HTMLInputElement>(dialog, '.hub-id');
  const folder = find<HTMLInputElement>(dialog, '.folder');
  const group = `model-${++dialogs}`;

  const facts = suggestions.map(() => element('span', { className: 'known-facts' }));
  find(dialog, '.known').append(
    ...suggestions.map(({ id }, i) => {
      const radio = element('input', { type: 'radio', value: 'known' });
      radio.dataset.id = id;
      return element('label', { className: 'choice' }, radio, element('span', {}, element('span', {}, id), facts[i]));
    }),
  );
  const builtInName = find(dialog, '.built-in-name');
  if (builtIn) builtInName.textContent = builtIn.name;
  else {
    builtInName.closest('label')?.remove();
    find<HTMLInputElement>(dialog, '.known input').checked = true;
  }
  const radios = [...dialog.querySelectorAll<HTMLInputElement>('input[type=radio]')];
  const checked = () => radios.find((radio) => radio.checked)!;
  const dtype = () => (dtypes.value === 'auto' ? undefined : (dtypes.value as Dtype));

  /** What the dialog says; throws an Error in words if that is incomplete. */
  function choice(): Choice {
    const { value, dataset } = checked();
    if (value === 'hub') return hubChoice(hubId.value);
    if (value === 'folder') return folderFiles(folder.files ?? []);
    if (value === 'known') return hubChoice(dataset.id ?? '');
    return builtIn!; // its radio button is there only with it
  }

  function showSizes() {
    for (const [i, model] of suggestions.entries()) facts[i].textContent = factsOf(model, dtype());
  }

  async function showKept() {
    const list = find(dialog, '.kept');
    const models = await listCached();
    find(dialog, '.kept-none').hidden = models.length > 0;
    list.replaceChildren(
      ...models.map((model) => {
        const name = model.source.replace(/^.*\/(?=models\/)/, '');
        const remove = element('button', { type: 'button', ariaLabel: `Delete ${name}, ${model.dtype}` }, 'Delete');
        remove.addEventListener('click', async () => {
          remove.disabled = true;
          await deleteCached(model).catch((reason) => showError(error, reason));
          await showKept();
        });
        const size = element('span', { className: 'known-facts' }, `${model.dtype}, ${fileSize(model.bytes)}`);
        return element('li', {}, element('span', {}, element('span', {}, name), size), remove);
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
  find(dialog, '.known-title').hidden = suggestions.length === 0;
  dtypes.addEventListener('change', showSizes);
  find(dialog, '.close').addEventListener('click', () => dialog.close());
  find(dialog, '.load').addEventListener('click', () => {
    let chosen: Choice;
    try {
      chosen = { ...choice(), dtype: dtype() };
    } catch (reason) {
      return showError(error, reason);
    }
    dialog.close();
    onChoose(chosen);
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

/** Parameters, licence and sizes of a published model. The file is as large as its own precision makes it, whatever the GPU then holds. */
export function factsOf(model: KnownModel, dtype: Dtype | undefined): string {
  const [f32, f16] = (['f32', 'f16'] as const).map((name) => fileSize(gpuBytes(model, name)));
  const gpu = dtype ? `${fileSize(gpuBytes(model, dtype))} on the GPU as ${dtype}` : `${f16} on the GPU as f16`;
  const parameters = `${Math.round(parametersOf(model) / 1e6)} M parameters`;
  const licence = model.licence ?? 'licence: see its page';
  return [model.about, parameters, licence, gpu, `download ${f16} (f16 file) or ${f32} (f32)`].join(' · ');
}
