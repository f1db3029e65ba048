/**
 * Which modules a text goes through: sentence-transformers' modules.json, with its Routers taken apart. Without these files a checkpoint is a
 * Transformer, with a Pooling if there is a 1_Pooling.
 */
import type { Kind } from '../api/embeddings';
import { ModelFileError, UnsupportedModelError } from '../api/errors';
import { GLINER_CONFIG, isTransformer } from '../formats/checkpoint';
import { fieldsOf, isObject, type JsonFields, unsupportedField, writerOf, wrongField } from '../formats/json-fields';
import { isFileName, type ModelFiles } from '../formats/model-files';
import { type ReadOptions, readJson } from '../formats/read';
import type { GlinerCheckpoint } from './gliner/gliner';

/** A module of modules.json. */
export interface ModuleEntry {
  /** Its class, without the package. */
  kind: string;
  /** Its folder; '' is the checkpoint's own. */
  path: string;
  /** Where it is listed, and under which name, for messages. */
  listed: { file: string; field: string; type: string };
}

/** What reads a text: a Transformer, or a table of its tokens. */
export interface InputModule extends ModuleEntry {
  /** The modules after it, by the kind of text; undefined for kinds that do not come here. */
  chains: Partial<Record<Kind | 'any', ModuleEntry[]>>;
}

export interface Pipeline {
  /** config.json and sentence_bert_config.json of the checkpoint's own folder: they may be missing if the modules have folders. */
  config: unknown;
  bert: JsonFields;
  /** config_sentence_transformers.json; without fields if there is none. */
  main: JsonFields;
  /** Whether there is a modules.json. */
  isListed: boolean;
  /** More than one where a Router sends queries and documents to models of their own. */
  inputs: InputModule[];
  /** Why a kind of text has no modules: routes have other names. */
  refused: Partial<Record<Kind | 'any', string>>;
  /** Of a GLiNER checkpoint, whose `config` is that of its encoder. */
  gliner?: GlinerCheckpoint;
}

/** Files name three or four; each is at least one request. */
const MOST_MODULES = 16;
const KINDS = ['any', 'query', 'document'] as const;

/** Modules that read texts, by their class; all but the first and its older name work without inference. */
export const INPUTS = new Map([
  ['Transformer', 'Transformer'],
  ['MLMTransformer', 'Transformer'],
  ['StaticEmbedding', 'StaticEmbedding'],
  ['SparseStaticEmbedding', 'SparseStaticEmbedding'],
]);

export async function readPipeline(files: ModelFiles, options: ReadOptions): Promise<Pipeline> {
  const config = await readOptional('config.json'); // first: see openOptional
  const gliner = isTransformer(config) ? undefined : await readOptional(GLINER_CONFIG);
  if (gliner !== undefined) return glinerPipeline(await (await import('./gliner/gliner')).glinerCheckpoint(gliner));
  const [main, bert, json] = await Promise.all([
    readFields('config_sentence_transformers.json'),
    readFields('sentence_bert_config.json'),
    readOptional('modules.json'),
  ]);
  const listed = json === undefined ? await unlisted() : entriesOf('modules.json', json);
  const inputs = new Map<string, InputModule>();
  const refused: Pipeline['refused'] = {};
  for (const kind of KINDS) {
    const chain = await expand(listed, kind);
    if (typeof chain === 'string') {
      refused[kind] = chain;
      continue;
    }
    const [first, ...rest] = chain;
    if (!first) throw new ModelFileError('modules.json lists no module.');
    const input = INPUTS.get(first.kind);
    if (!input) {
      const { file, field, type } = first.listed;
      throw unsupported(main, file, field, type, `the first module must be one of ${[...INPUTS.keys()].join(', ')}`);
    }
    const known = inputs.get(first.path) ?? { ...first, kind: input, chains: {} };
    known.chains[kind] = rest;
    inputs.set(first.path, known);
  }
  if (inputs.size === 0) throw new UnsupportedModelError(refused.any);
  return { config, bert, main, isListed: json !== undefined, inputs: [...inputs.values()], refused };

  function readOptional(name: string) {
    return readJson(files, name, { ...options, required: false });
  }

  async function readFields(name: string) {
    return fieldsOf(name, await readOptional(name));
  }

  async function unlisted(): Promise<ModuleEntry[]> {
    const entry = (kind: string, path: string) => ({
      kind,
      path,
      listed: { file: 'modules.json', field: '', type: kind },
    });
    const pooling = await readOptional('1_Pooling/config.json');
    return [entry('Transformer', ''), ...(pooling === undefined ? [] : [entry('Pooling', '1_Pooling')])];
  }

  /** The modules for a kind of text, without Routers; or why there are none. */
  async function expand(entries: ModuleEntry[], kind: Kind | 'any', depth = 0): Promise<ModuleEntry[] | string> {
    const chain: ModuleEntry[] = [];
    for (const entry of entries) {
      if (entry.kind === 'Dropout') continue; // for training only
      if (entry.kind !== 'Router' && entry.kind !== 'Asym') {
        chain.push(entry);
        continue;
      }
      const { listed } = entry;
      if (depth > 0)
        throw unsupported(main, listed.file, listed.field, listed.type, 'a Router may not be inside another');
      const route = routeOf(await readRouter(entry), kind);
      const inside = typeof route === 'string' ? route : await expand(route, kind, depth + 1);
      if (typeof inside === 'string') return inside;
      for (const module of inside) chain.push(module);
    }
    if (chain.length > MOST_MODULES) {
      throw new UnsupportedModelError(
        `modules.json lists ${chain.length} modules, at most ${MOST_MODULES} are supported.`,
      );
    }
    return chain;
  }

  async function readRouter({ path, listed }: ModuleEntry): Promise<Router> {
    const at = (name: string) => (path === '' ? name : `${path}/${name}`);
    // Asym, its older name, writes config.json.
    const names = [at('router_config.json'), at('config.json')];
    const [file, json] = await readOptional(names[0]).then(async (found) =>
      found === undefined ? [names[1], await readOptional(names[1])] : [names[0], found],
    );
    if (!isObject(json) || !isObject(json.structure) || !isObject(json.types)) {
      throw wrongField(
        file as string,
        'the file',
        json,
        `an object with structure and types, as the ${listed.type} needs`,
      );
    }
    return routerOf(file as string, json as Router['json'], at);
  }
}

/** One Transformer without modules. */
function glinerPipeline(gliner: GlinerCheckpoint): Pipeline {
  const listed = { file: GLINER_CONFIG, field: 'encoder_config', type: 'Transformer' };
  return {
    config: gliner.encoder.json,
    bert: fieldsOf('sentence_bert_config.json'),
    main: fieldsOf('config_sentence_transformers.json'),
    isListed: false,
    inputs: [{ kind: 'Transformer', path: '', listed, chains: { any: [] } }],
    refused: {},
    gliner,
  };
}

function entriesOf(file: string, json: unknown): ModuleEntry[] {
  if (!Array.isArray(json)) throw wrongField(file, 'the file', json, 'a list of modules');
  if (json.length > MOST_MODULES) {
    throw new UnsupportedModelError(`${file} lists ${json.length} modules, at most ${MOST_MODULES} are supported.`);
  }
  return json.map((entry: unknown, i) => {
    const { type, path: given } = isObject(entry) ? entry : {};
    if (typeof type !== 'string') throw wrongField(file, `[${i}].type`, type, 'a string');
    const path = i === 0 && given === '.' ? '' : given; // as model2vec writes it
    if (typeof path === 'string' && (path === '' || isFileName(path))) return entryOf(file, `[${i}].type`, type, path);
    throw wrongField(file, `[${i}].path`, path, 'a folder of this checkpoint');
  });
}

const entryOf = (file: string, field: string, type: string, path: string): ModuleEntry => ({
  kind: type.slice(type.lastIndexOf('.') + 1),
  path,
  listed: { file, field, type },
});

interface Router {
  file: string;
  json: { structure: Record<string, unknown>; types: Record<string, unknown>; parameters?: unknown };
  routes: Map<string, ModuleEntry[]>;
}

function routerOf(file: string, json: Router['json'], at: (name: string) => string): Router {
  const routes = Object.entries(json.structure).map(([route, names]): [string, ModuleEntry[]] => {
    const field = `structure.${route}`;
    if (!Array.isArray(names) || names.length === 0) throw wrongField(file, field, names, 'a list of module names');
    const entries = names.map((name: unknown) => {
      const type = typeof name === 'string' ? json.types[name] : undefined;
      if (typeof name !== 'string' || !isFileName(name)) throw wrongField(file, field, name, 'names of folders');
      if (typeof type !== 'string') throw wrongField(file, `types.${name}`, type, 'the class of a module');
      return entryOf(file, `types.${name}`, type, at(name));
    });
    return [route, entries];
  });
  if (routes.length === 0) throw wrongField(file, 'structure', json.structure, 'an object of at least one route');
  return { file, json, routes: new Map(routes) };
}

/** The route of a kind of text, as base/modules/router.py finds it for the modality 'text'; or why there is none. */
function routeOf({ file, json, routes }: Router, kind: Kind | 'any'): ModuleEntry[] | string {
  const {
    default_route,
    allow_empty_key = true,
    route_mappings = {},
  } = isObject(json.parameters) ? json.parameters : {};
  if (!isObject(route_mappings)) throw wrongField(file, 'parameters.route_mappings', route_mappings, 'an object');
  const task = kind === 'any' ? 'None' : `'${kind}'`;
  // Keys are Python's tuples of task and modality as text.
  const mapped = [`(${task}, 'text')`, `(${task}, None)`, "(None, 'text')", '(None, None)']
    .map((key) => route_mappings[key])
    .find((route) => route !== undefined);
  const first = allow_empty_key ? routes.keys().next().value : undefined;
  const named = kind === 'any' ? [mapped, 'text', default_route ?? first] : [mapped, kind, 'text'];
  const route = named.find((name) => typeof name === 'string' && (name === mapped || routes.has(name)));
  const found = routes.get(route as string);
  if (found) return found;
  const known = [...routes.keys()].join(', ');
  if (route !== undefined) throw wrongField(file, 'parameters.route_mappings', route, `names of routes (${known})`);
  return kind === 'any'
    ? `This checkpoint's Router needs the option kind: it has the routes ${known} and no default_route.`
    : `This checkpoint's Router has no route for kind '${kind}'; its routes are ${known}.`;
}

/** The error for a module that cannot be computed; it names what wrote the files. */
export const unsupported = ({ json }: JsonFields, file: string, field: string, type: string, why: string) =>
  unsupportedField(file, field, type, why, writerOf(json));
