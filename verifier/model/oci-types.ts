/** Media types of the OCI image-spec 1.1. */
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json'
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json'
/** A layer that is not compressed. */
export const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar'
/** The config of what is no image ("Guidance for an empty descriptor"). */
export const OCI_EMPTY = 'application/vnd.oci.empty.v1+json'
