/** The architectures beside ModernBERT: a part of the worker. */
import { bert } from './bert';
import { distilbert } from './distilbert';
import { electra } from './electra';
import { eurobert } from './eurobert';
import { gte } from './gte';
import { jina_embeddings_v3 } from './jina-v3';
import { mpnet } from './mpnet';
import { nomic_bert } from './nomic-bert';
import { roberta } from './roberta';

export const moreFamilies = {
  bert,
  distilbert,
  electra,
  eurobert,
  gte,
  jina_embeddings_v3,
  mpnet,
  nomic_bert,
  roberta,
};
