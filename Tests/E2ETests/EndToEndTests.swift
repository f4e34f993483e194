import Glibc
import Testing

/// What takes real images, real boots and the network: `make e2e`.
@Suite(.serialized, .enabled(if: getenv("IMAGE_FACTORY_E2E") != nil)) struct EndToEndTests {}
