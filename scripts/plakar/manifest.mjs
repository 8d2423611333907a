/**
 * `manifest.yaml`, by which plakar packs the files and later starts the plugin. JSON strings are YAML strings.
 *
 * @param {{license: string, prefix: string, extraFiles: readonly string[]}} about `prefix` is
 *   the folder of the files, seen from the manifest: empty, or with a slash at its end
 */
export function manifestYaml({ license, prefix, extraFiles }) {
  const path = (name) => JSON.stringify(`${prefix}${name}`);
  return `name: oci
display_name: OCI registry
description: Kloset stores in OCI container registries
license: ${license}
tags: [oci, registry, container]
api_version: v1.0.0
connectors:
- type: storage
  class: registry
  protocols: [oci]
  executable: ${path('oci-storage')}
  validator: ${path('options.schema.json')}
  extra_files:
${extraFiles.map((name) => `  - ${path(name)}`).join('\n')}
`;
}
