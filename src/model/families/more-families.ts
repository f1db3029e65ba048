/** The architectures beside ModernBERT: a part of the worker. */
import type { Family } from '../family';
import { bert } from './bert';
import { deberta_v2 } from './deberta';
import { distilbert } from './distilbert';
import { electra } from './electra';
import { eurobert } from './eurobert';
import { gte } from './gte';
import { jina_bert } from './jina-bert';
import { jina_embeddings_v3 } from './jina-v3';
import { mpnet } from './mpnet';
import { nomic_bert } from './nomic-bert';
import { roberta } from './roberta';

type Name =
  | 'bert'
  | 'deberta_v2'
  | 'distilbert'
  | 'electra'
  | 'eurobert'
  | 'gte'
  | 'jina_bert'
  | 'jina_embeddings_v3'
  | 'mpnet'
  | 'nomic_bert'
  | 'roberta';

// Each is used with its own config and weights alone.
export const moreFamilies = {
  bert,
  deberta_v2,
  distilbert,
  electra,
  eurobert,
  gte,
  jina_bert,
  jina_embeddings_v3,
  mpnet,
  nomic_bert,
  roberta,
} as Record<Name, unknown> as Record<Name, Family>;
