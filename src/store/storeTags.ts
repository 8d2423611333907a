import { orAborted } from '../flow/orAborted.ts';
import type { Exchange } from '../registry/exchange.ts';
import { describeReference } from '../registry/reference.ts';
import { listTagPages } from '../registry/tags.ts';
import type { Diagnosis } from './diagnosis.ts';
import { repositoryShared } from './foreignTags.ts';
import type { ObjectType } from './objectNames.ts';
import { surveyTags, type TagSurvey } from './tagSurvey.ts';
import { TagTable } from './tagTable.ts';

/** The tags of the repository: walks over them, and what is known of them since. */
export class StoreTags {
  readonly table = new TagTable();
  readonly #exchange: Exchange;
  readonly #diagnosis: Diagnosis;
  readonly #mayBeShared: boolean;
  /** The first walk, for all who wait for it. */
  #first: Promise<unknown> | undefined;

  /** @param mayBeShared whether to write where tags of others are */
  constructor(exchange: Exchange, diagnosis: Diagnosis, mayBeShared: boolean) {
    this.#exchange = exchange;
    this.#diagnosis = diagnosis;
    this.#mayBeShared = mayBeShared;
  }

  /**
   * Walks over all tags.
   *
   * @param types whose MACs are wanted
   * @param keep keep these for {@link TagTable.mayHold}
   */
  walk(types: readonly ObjectType[], signal: AbortSignal | undefined, keep = false): Promise<TagSurvey> {
    return this.table.survey(() => this.#survey(types, signal), keep);
  }

  /** Walks over them if nobody has. */
  async walkOnce(signal: AbortSignal | undefined): Promise<void> {
    if (this.table.known) return;
    // Not cancelled with one of those who wait: the others need it.
    this.#first ??= this.walk([], undefined).catch((error) => {
      this.#first = undefined;
      throw error;
    });
    await orAborted(this.#first, signal);
  }

  /** @throws KlosetError REPOSITORY_SHARED where the last walk has seen tags of others, unless that is allowed */
  refuseShared(): void {
    const { foreign } = this.table;
    if (foreign === undefined || this.#mayBeShared) return;
    throw repositoryShared(foreign, describeReference(this.#exchange.reference));
  }

  async #survey(types: readonly ObjectType[], signal: AbortSignal | undefined): Promise<TagSurvey> {
    try {
      const survey = await surveyTags(listTagPages(this.#exchange, signal), types);
      this.#diagnosis.answered();
      return survey;
    } catch (error) {
      await this.#diagnosis.explain(error, signal);
      throw error;
    }
  }
}
