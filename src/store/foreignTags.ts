import { KlosetError } from '../errors.ts';

/** The refusal to write where somebody else's tags are. @param tag one of them */
export function repositoryShared(tag: string, registry: string): KlosetError {
  return new KlosetError('REPOSITORY_SHARED', `the repository holds tags that are not of a store: ${tag}`, {
    registry,
    remedy:
      'Give the store a repository of its own, or set allow_shared_repository=true: cleaning rules for images may then delete backups.',
  });
}
