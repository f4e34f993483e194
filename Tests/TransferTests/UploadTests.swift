import Glibc
import Model
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Transfer

@Suite struct UploadTests {
    private static func image(in folder: FilePath) throws -> PublishedImage {
        let file = folder.appending("debian.qcow2")
        let checksum = FilePath(file.string + ".sha256sum")
        try Scratch.write("an image", file)
        try Scratch.write("0123  debian.qcow2\n", checksum)
        return PublishedImage(file: file.string, checksum: checksum.string)
    }

    private static func upload(
        _ image: PublishedImage, _ destinations: [UploadDestination], password: String = RsyncDaemon.password,
        notes: Sources.Notes
    ) async throws {
        let environment = ["RSYNC_PASSWORD": password]
        let runner = CommandRunner(proxies: [:])
        let publisher = RsyncPublisher(
            runner: runner, environment: environment, limits: TransferLimits(attempts: 2, pause: .milliseconds(10)))
        try await Uploader(runner: runner, environment: environment, publishers: [.rsync: publisher]).upload(
            image, to: destinations,
            report: TransferReport(log: { line in notes.lines.withLock { $0.append(line) } }))
    }

    @Test func `An image and its checksum are taken to a server with a password, then the commands run`() async throws {
        try await RsyncDaemon.with { daemon in
            try await Scratch.with { scratch in
                let image = try Self.image(in: scratch.path)
                let (done, notes) = (scratch.path.appending("done"), Sources.Notes())
                let destination = UploadDestination(
                    name: "here", target: daemon.target, arguments: ["-t"],
                    commands: [["cp", image.checksum, done.string], ["printenv", "RSYNC_PASSWORD"]])
                try await Self.upload(image, [destination], notes: notes)
                #expect(Scratch.names(daemon.folder) == ["debian.qcow2", "debian.qcow2.sha256sum"])
                #expect(try Scratch.read(daemon.folder.appending("debian.qcow2")) == "an image")
                #expect(try Scratch.read(done) == "0123  debian.qcow2\n")
                let shown = "rsync://127.0.0.1:\(daemon.port)/images/"
                #expect(
                    notes.lines.withLock { $0 } == [
                        "Calling rsync -t \(image.file) \(image.checksum) \(shown)",
                        "Successfully uploaded \(image.file) to \(shown)",
                        "Calling cp \(image.checksum) \(done)",
                        "Calling printenv RSYNC_PASSWORD", "***",
                    ])
            }
        }
    }

    @Test func `What is there with the same bytes is not sent again, what has changed is`() async throws {
        try await RsyncDaemon.with { daemon in
            try await Scratch.with { scratch in
                let image = try Self.image(in: scratch.path)
                let notes = Sources.Notes()
                let destination = UploadDestination(name: "here", target: daemon.target)
                try await Self.upload(image, [destination, destination], notes: notes)
                #expect(notes.lines.withLock { $0.filter { $0.hasPrefix("Calling rsync") }.count } == 1)
                #expect(notes.lines.withLock { $0.last?.hasSuffix("/images/ already") } == true)
                try Scratch.write("another image", FilePath(image.file))
                try await Self.upload(image, [destination], notes: notes)
                #expect(try Scratch.read(daemon.folder.appending("debian.qcow2")) == "another image")
            }
        }
    }

    @Test func `A wrong password ends it with rsync's code and reason`() async throws {
        try await RsyncDaemon.with { daemon in
            try await Scratch.with { scratch in
                let image = try Self.image(in: scratch.path)
                let destination = UploadDestination(
                    name: "here", target: daemon.target, commands: [["touch", scratch.path.appending("ran").string]])
                let notes = Sources.Notes()
                let error = await #expect(throws: FactoryError.self) {
                    try await Self.upload(image, [destination], password: "wrong-password", notes: notes)
                }
                let message = try #require(error?.message)
                #expect(error?.status == 5)
                #expect(message.contains("failed with exit code 5: @ERROR: auth failed on module images"))
                #expect(!message.contains("wrong-password"))
                #expect(!notes.lines.withLock { $0.contains { $0.contains("wrong-password") } })
                #expect(Scratch.names(scratch.path) == ["debian.qcow2", "debian.qcow2.sha256sum"])
            }
        }
    }

    @Test func `A server that is not there is tried again, then told`() async throws {
        try await Scratch.with { scratch in
            let image = try Self.image(in: scratch.path)
            let port = try FaultServer.freePort()
            let notes = Sources.Notes()
            let error = await #expect(throws: FactoryError.self) {
                try await Self.upload(
                    image, [UploadDestination(name: "gone", target: "rsync://127.0.0.1:\(port)/images/")], notes: notes)
            }
            #expect(error?.message.contains("failed with exit code 10: ") == true)
            #expect(notes.lines.withLock { $0.filter { $0.hasPrefix("Calling rsync") }.count } == 2)
        }
    }

    @Test func `A command that fails ends it with its code, and the next destination is not served`() async throws {
        try await Scratch.with { scratch in
            let image = try Self.image(in: scratch.path)
            let (first, second) = (scratch.path.appending("one/"), scratch.path.appending("two/"))
            mkdir(first.string, 0o755)
            mkdir(second.string, 0o755)
            let destinations = [
                UploadDestination(
                    name: "a", target: first.string, commands: [["ls", "/no such"], ["touch", "/never"]]),
                UploadDestination(name: "b", target: second.string),
            ]
            let error = await #expect(throws: FactoryError.self) {
                try await Self.upload(image, destinations, notes: Sources.Notes())
            }
            #expect(error?.status == 2)
            #expect(error?.message.hasPrefix("'ls \"/no such\"' failed with exit code 2: ") == true)
            #expect(Scratch.names(first).count == 2 && Scratch.names(second) == [])
        }
    }
}

@Suite struct RsyncFetchTests {
    @Test func `A file of an rsync server is fetched once and then only compared`() async throws {
        try await RsyncDaemon.with { daemon in
            try await Sources.with { sources in
                let source = Source(.rsync, "RSYNC://127.0.0.1:\(daemon.port)/open/kernel")
                let place = daemon.folder.appending("kernel")
                try Scratch.write("one", place)
                let first = try await sources.fetch(source)
                #expect(try first.bytes == Array("one".utf8))
                let second = try await sources.fetch(source)
                #expect(second.wasCached && second.revalidated)
                #expect(try await sources.fetch(source, offline: true).wasCached)
                try Scratch.write("two!", place)
                let third = try await sources.fetch(source)
                #expect(try third.bytes == Array("two!".utf8))
                #expect(sources.partial == [])
            }
        }
    }

    @Test func `What the server does not have is told`() async throws {
        try await RsyncDaemon.with { daemon in
            try await Sources.with { sources in
                let source = Source(.rsync, "rsync://127.0.0.1:\(daemon.port)/open/kernel")
                let error = try await sources.failure(source)
                #expect(error.message.hasPrefix("cannot fetch \(source.location): rsync ended with exit status 23: "))
                #expect(error.message.contains("No such file or directory"))
                mkdir(daemon.folder.appending("kernel").string, 0o755)
                let folder = try await sources.failure(source)
                #expect(folder.message == "\(source.location) is no file")
            }
        }
    }
}
