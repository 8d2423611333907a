import type { TagPage } from '../registry/tagPage.ts';
import { MacSet } from './macSet.ts';
import { type ObjectRef, type ObjectType, tagOf } from './objectNames.ts';
import { RegularTags } from './regularTags.ts';
import { isLive, REGULAR, type Standing, withGeneration, withTombstone } from './standing.ts';
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
 * Reads all tags, which come in pages. Nothing can be said of an object before the last one: in tag order a tombstone comes after the
 * object that it hides, and some registries have no order.
 */
export async function surveyTags(
  pages: AsyncIterable<Pick<TagPage, 'read' | 'tags'>>,
  types: readonly ObjectType[],
): Promise<TagSurvey> {
  const irregular = new Map<string, Standing>();
  const macs = new Map(types.map((type) => [type, new MacSet()]));
  let holdsConfig = false;
  let foreign: string | undefined;
  const take = (tag: string) => {
    const meaning = meaningOf(tag);
    if (meaning.kind === 'config') holdsConfig = true;
    else if (meaning.kind === 'foreign') foreign ??= tag;
    if (meaning.kind !== 'object' && meaning.kind !== 'tombstone') return;
    const { kind, ref, generation } = meaning;
    if (kind === 'object') macs.get(ref.type)?.add(ref.mac);
    if (kind === 'object' && generation === 0) return;
    const first = tagOf(ref);
    const standing = irregular.get(first) ?? REGULAR;
    const change = kind === 'object' ? withGeneration : withTombstone;
    irregular.set(first, change(standing, generation));
  };
  const regular = new RegularTags(macs);
  for await (const page of pages) {
    if (page.read(regular)) regular.keep().forEach(take);
    else {
      regular.forget();
      page.tags.forEach(take);
    }
  }
  return { holdsConfig, foreign, irregular, macs };
}

/** The objects of a walk that are not deleted, each once. */
export function* liveObjects(
  survey: TagSurvey,
  types: readonly ObjectType[],
): Generator<ObjectRef, void, void> {
  for (const type of types) for (const mac of liveMacs(survey, type)) yield { type, mac };
}

/** The same of one type. */
export function liveMacs({ macs, irregular }: TagSurvey, type: ObjectType): Iterable<string> {
  const all = macs.get(type) ?? [];
  // Of nearly all stores none is out of the ordinary, and the name of each tag would be made for nothing.
  return irregular.size === 0 ? all : withoutDeleted(all, type, irregular);
}

function* withoutDeleted(
  macs: Iterable<string>,
  type: ObjectType,
  irregular: TagSurvey['irregular'],
): Generator<string, void, void> {
  for (const mac of macs) if (isLive(irregular.get(tagOf({ type, mac })) ?? REGULAR)) yield mac;
}
