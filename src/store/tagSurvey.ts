import { MacSet } from './macSet.ts';
import { type ObjectType, tagOf } from './objectNames.ts';
import { REGULAR, type Standing, withGeneration, withTombstone } from './standing.ts';
import { meaningOf } from './tagNames.ts';

/** What one walk over all tags of a repository has found. */
export interface TagSurvey {
  readonly holdsConfig: boolean;
  /** A tag that is not of this store, where there is one. */
  readonly foreign: string | undefined;
  /** The objects that have a tombstone or a second generation, by the tag of the first. */
  readonly irregular: ReadonlyMap<string, Standing>;
  /** The MACs of the types that were asked for, deleted ones included. */
  readonly macs: ReadonlyMap<ObjectType, MacSet>;
}

/**
 * Reads all tags. Nothing can be said of an object before the last one: in tag order a tombstone comes after the
 * object that it hides, and some registries have no order.
 */
export async function surveyTags(
  tags: AsyncIterable<string>,
  types: readonly ObjectType[],
): Promise<TagSurvey> {
  const irregular = new Map<string, Standing>();
  const macs = new Map(types.map((type) => [type, new MacSet()]));
  let holdsConfig = false;
  let foreign: string | undefined;
  for await (const tag of tags) {
    const meaning = meaningOf(tag);
    if (meaning.kind === 'config') holdsConfig = true;
    else if (meaning.kind === 'foreign') foreign ??= tag;
    if (meaning.kind !== 'object' && meaning.kind !== 'tombstone') continue;
    const { kind, ref, generation } = meaning;
    if (kind === 'object') macs.get(ref.type)?.add(ref.mac);
    if (kind === 'object' && generation === 0) continue;
    const first = tagOf(ref);
    const standing = irregular.get(first) ?? REGULAR;
    const change = kind === 'object' ? withGeneration : withTombstone;
    irregular.set(first, change(standing, generation));
  }
  return { holdsConfig, foreign, irregular, macs };
}
