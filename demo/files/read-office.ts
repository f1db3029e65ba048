/** The text of Word's, PowerPoint's and OpenDocument's files (.docx, .pptx, .odt). */
import { createTextParts } from './text-parts';
import { damagedFile, lockedFile } from './unzip';
import { type Format, xmlText } from './xml-text';
import { openParts, type Parts, partAt } from './zip-parts';

/** XML, and the relations between parts. */
const READ = /\.(xml|rels)$/i;

/** What elements stand for; no name is in two formats with two meanings. */
const SIGNS = new Map([
  ['tab', '\t'],
  ['ptab', '\t'],
  ['br', '\n'],
  ['cr', '\n'],
  ['noBreakHyphen', '-'],
  ['s', ' '],
  ['line-break', '\n'],
]);

/** The elements of text in Word and in PowerPoint. */
const TEXT = {
  text: new Set(['t']),
  paragraph: new Set(['p']),
  table: 'tbl',
  row: 'tr',
  cell: 'tc',
  signs: SIGNS,
};

const elementsOf = (root: Document | Element, name: string): Element[] => [...root.getElementsByTagNameNS('*', name)];
const childOf = (element: Element | undefined, name: string): Element | undefined =>
  [...(element?.children ?? [])].find(({ localName }) => localName === name);
/** The value of an attribute, whatever its prefix. */
const attributeOf = (element: Element | undefined, name: string): string | undefined =>
  [...(element?.attributes ?? [])].find(({ localName }) => localName === name)?.value;
const isOneOf = (...names: string[]) => {
  const known = new Set(names);
  return ({ localName }: Element): boolean => known.has(localName);
};

/** Throws an Error in words if it is locked, damaged or of another kind. `pages`: where slides begin. */
export async function readOffice(
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
  signal?: AbortSignal,
): Promise<{ text: string; pages?: number[] }> {
  const parts = await openParts(name, bytes, READ, signal);
  if (parts.has('content.xml') || parts.has('META-INF/manifest.xml')) return { text: openDocumentText(name, parts) };
  const main = relationsOf(parts, '').find(({ type }) => type === 'officeDocument')?.part ?? '';
  const root = parts.xml(main).documentElement;
  if (root.localName === 'document') return { text: wordText(parts, root, main) };
  if (root.localName === 'presentation') return slidesText(name, parts, root, main);
  throw damagedFile(name);
}

interface Relation {
  id: string;
  /** The last word of its type's address. */
  type: string;
  part: string;
}

/** What a part of an Office file refers to; '' is the file itself. */
function relationsOf(parts: Parts, from: string): Relation[] {
  const cut = from.lastIndexOf('/') + 1;
  const list = `${from.slice(0, cut)}_rels/${from.slice(cut)}.rels`;
  if (!parts.has(list)) return [];
  return elementsOf(parts.xml(list), 'Relationship').map((relation) => ({
    id: attributeOf(relation, 'Id') ?? '',
    type: attributeOf(relation, 'Type')?.split('/').at(-1) ?? '',
    part: attributeOf(relation, 'TargetMode') === 'External' ? '' : partAt(from, attributeOf(relation, 'Target') ?? ''),
  }));
}

function wordText(parts: Parts, root: Element, main: string): string {
  const relations = relationsOf(parts, main);
  const pagesOf = (type: string) =>
    relations.filter((one) => one.type === type && parts.has(one.part)).map(({ part }) => parts.xml(part));
  const levels = headingLevels(pagesOf('styles'));
  const notes = new Map<string, Element>();
  for (const kind of ['footnote', 'endnote']) {
    for (const page of pagesOf(`${kind}s`)) {
      for (const note of elementsOf(page, kind)) notes.set(`${kind} ${attributeOf(note, 'id')}`, note);
    }
  }
  const word: Format<Element> = {
    // What changes have deleted; how paragraphs look; what programs that know less show in place of something.
    isSkipped: isOneOf('del', 'moveFrom', 'pPr', 'Fallback'),
    ...TEXT,
    headingLevel(paragraph) {
      const looks = childOf(paragraph, 'pPr');
      return outlineLevel(looks) ?? levels.get(attributeOf(childOf(looks, 'pStyle'), 'val') ?? '');
    },
    note: (element) => notes.get(`${element.localName.replace(/Reference$/, '')} ${attributeOf(element, 'id')}`),
  };
  return xmlText(root, word);
}

/** 1 to 9, of a paragraph's or a style's properties; 9 in the file is the text between headings. */
function outlineLevel(properties: Element | undefined): number | undefined {
  const level = Number(attributeOf(childOf(properties, 'outlineLvl'), 'val') ?? 9);
  return level < 9 ? level + 1 : undefined;
}

/** The levels of Word's styles of headings, by their ids; a style may be based on another. Built-in styles have English names in the file. */
function headingLevels(pages: Document[]): Map<string, number> {
  const styles = new Map(
    pages.flatMap((page) => elementsOf(page, 'style')).map((style) => [attributeOf(style, 'styleId') ?? '', style]),
  );
  const levelOf = (id: string, seen: string[] = []): number | undefined => {
    const style = styles.get(id);
    if (!style || seen.includes(id)) return undefined;
    if (attributeOf(childOf(style, 'name'), 'val')?.toLowerCase() === 'title') return 1;
    const base = attributeOf(childOf(style, 'basedOn'), 'val') ?? '';
    return outlineLevel(childOf(style, 'pPr')) ?? levelOf(base, [...seen, id]);
  };
  const found = [...styles.keys()].map((id) => [id, levelOf(id)] as const);
  return new Map(found.filter((one): one is readonly [string, number] => one[1] !== undefined));
}

/** Each slide is a page. One that comes a second time is read once. */
function slidesText(name: string, parts: Parts, root: Element, main: string): { text: string; pages: number[] } {
  const relations = new Map(relationsOf(parts, main).map(({ id, part }) => [id, part]));
  const slide: Format<Element> = {
    isSkipped: isOneOf('fld', 'Fallback'), // fields are numbers and dates at the edge
    ...TEXT,
    headingLevel: (paragraph) => (/^(ctrT|t)itle$/.test(placeholderOf(paragraph)) ? 1 : undefined),
  };
  const text = createTextParts(name);
  const slides = elementsOf(root, 'sldId').map((one) => {
    const id = one.getAttributeNS('http://schemas.openxmlformats.org/officeDocument/2006/relationships', 'id');
    return relations.get(id ?? '') ?? '';
  });
  for (const part of new Set(slides)) text.add(xmlText(parts.xml(part).documentElement, slide));
  return { text: text.text(), pages: text.starts };
}

/** What a shape with a paragraph is there for: 'title', 'body', … */
function placeholderOf(paragraph: Element): string {
  let shape: Element | null = paragraph;
  while (shape && shape.localName !== 'sp') shape = shape.parentElement;
  return (shape && attributeOf(elementsOf(shape, 'ph')[0], 'type')) ?? '';
}

function openDocumentText(name: string, parts: Parts): string {
  const manifest = 'META-INF/manifest.xml';
  if (parts.has(manifest) && elementsOf(parts.xml(manifest), 'encryption-data').length > 0) throw lockedFile(name);
  const page = parts.xml('content.xml');
  const body = childOf(elementsOf(page, 'body')[0], 'text');
  if (!body) throw damagedFile(name, new Error('Its body is no text.'));

  const parents = new Map(
    elementsOf(page, 'style').map((style) => [attributeOf(style, 'name'), attributeOf(style, 'parent-style-name')]),
  );
  const isSkipped = isOneOf('tracked-changes', 'annotation', 'forms', 'desc', 'ruby-text');
  return xmlText(body, {
    // The name of a picture is no text of the document; a field with its title is.
    isSkipped: (one) => isSkipped(one) || (one.localName === 'title' && one.parentElement?.localName === 'frame'),
    paragraph: new Set(['p', 'h']),
    table: 'table',
    row: 'table-row',
    cell: 'table-cell',
    signs: SIGNS,
    headingLevel(paragraph) {
      if (paragraph.localName === 'h') return Number(attributeOf(paragraph, 'outline-level') ?? 1) || 1;
      const style = attributeOf(paragraph, 'style-name');
      return [style, parents.get(style)].includes('Title') ? 1 : undefined;
    },
    note: (element) => (element.localName === 'note' ? childOf(element, 'note-body') : undefined),
  });
}
