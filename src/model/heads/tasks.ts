import { UnsupportedModelError, wrongChoice } from '../../api/errors';
import type { Task } from '../../api/types';
import { unsupportedField } from '../../formats/json-fields';
import type { ModelConfig } from '../config';
import type { Family } from '../family';
import type { SentenceConfig } from '../sentence';
import { normalizesAfter, sequenceEmbedding, tokenEmbeddings } from './embeddings';
import type { Head } from './head';
import { sequenceLogits, tokenLogits } from './logits';
import { topK } from './top-k';

interface TaskKind {
  /** For messages. */
  name: string;
  /** How transformers' class names end; undefined for what is not transformers' (gliner/). */
  suffix?: string;
  /** The checkpoint's own output; undefined without a head. */
  logits?: Head;
  /** What its calls usually ask for: compiled at load, so that the first call does not wait for it. */
  usual(sentence: SentenceConfig): Head;
}

/** What a checkpoint can be: a line each. */
export const TASKS: Record<Task, TaskKind> = {
  mlm: {
    name: 'masked language model',
    suffix: 'ForMaskedLM',
    logits: tokenLogits,
    usual: () => topK(5),
  },
  seqcls: {
    name: 'sequence classifier',
    suffix: 'ForSequenceClassification',
    logits: sequenceLogits,
    usual: () => sequenceLogits,
  },
  tokcls: { name: 'token classifier', suffix: 'ForTokenClassification', logits: tokenLogits, usual: () => tokenLogits },
  qa: {
    name: 'question answering model',
    suffix: 'ForQuestionAnswering',
    logits: tokenLogits,
    usual: () => tokenLogits,
  },
  encoder: { name: 'bare encoder without a head', suffix: 'Model', usual: embeddingHead },
  gliner: { name: 'GLiNER model', usual: embeddingHead },
};
/** Those that a checkpoint of transformers can have. */
const NAMES = Object.keys(TASKS).filter((task) => task !== 'gliner') as Exclude<Task, 'gliner'>[];

function embeddingHead({ chains, multiVector }: SentenceConfig): Head {
  const [chain] = Object.values(chains);
  return multiVector
    ? tokenEmbeddings(chain, multiVector.normalizes)
    : sequenceEmbedding(chain, { normalize: normalizesAfter(chain) });
}

/** Only question answering has it. ModernBERT's does not: there the layer is called classifier. */
const QA_OUTPUTS = 'qa_outputs.weight';

/**
 * What the checkpoint's head computes: as asked, else by its class name, else by its tensors. A masked language model without its head's
 * tensors is a bare encoder. Throws an UnsupportedModelError for another class.
 */
export function taskOf(
  { architectures, names_labels, writer }: ModelConfig,
  { model_type, heads }: Family,
  names: { has(name: string): boolean },
  asked?: Task,
): Exclude<Task, 'gliner'> {
  const isMlm = heads?.tensors.mlm.some((name) => names.has(name));
  const task = NAMES.find((name) => name === (asked ?? namedTask(architectures[0], writer) ?? taskByTensors()));
  if (!task) throw wrongChoice('task', NAMES, asked);
  if (asked === undefined && task === 'mlm' && heads && !isMlm) return 'encoder';
  if (heads || task === 'encoder') return task;
  throw new UnsupportedModelError(
    `Heads of model_type '${model_type}' are not supported; the checkpoint is a ${TASKS[task].name}.`,
  );

  /** Both classifiers have the same tensors. A last resort: files that name their labels (id2label) count as sequence classifiers. */
  function taskByTensors(): Task {
    if (heads && names.has(QA_OUTPUTS)) return 'qa';
    if (heads && names.has(heads.tensors.classifier)) return names_labels ? 'seqcls' : 'tokcls';
    return isMlm ? 'mlm' : 'encoder';
  }
}

/** The task that a class name stands for. Pretraining has several heads (BERT) or one that no call has (ELECTRA): its tensors tell. */
function namedTask(architecture: string | undefined, writer: string | undefined): Task | undefined {
  if (!architecture || architecture.endsWith('ForPreTraining')) return undefined;
  const found = NAMES.find((task) => architecture.endsWith(TASKS[task].suffix!));
  if (found) return found;
  const known = NAMES.map((task) => TASKS[task].suffix).join(', ');
  const why = `known are classes that end in ${known}; pass the option task if its tensors are those of one of them`;
  throw unsupportedField('config.json', 'architectures', architecture, why, writer);
}
