import Glibc
import Model
package import SystemPackage

/// An exclusive lock on a file, which the kernel gives back when the process ends, however it ends.
package final class FileLock: Sendable {
    private let descriptor: Int32

    private init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// The lock, or nil while another holds it.
    package static func attempt(_ path: FilePath) throws -> FileLock? {
        while true {
            let descriptor = open(path.string, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else { throw FileFailure.error(Errno(rawValue: errno), "open", path) }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                let number = errno
                close(descriptor)
                if number == EINTR { continue }
                // Any other error would come again, however long one waits.
                guard number == EWOULDBLOCK else { throw FileFailure.error(Errno(rawValue: number), "lock", path) }
                return nil
            }
            // The file may have been removed between open and flock: then the lock is on a file without a name.
            var held = stat()
            var named = stat()
            if fstat(descriptor, &held) == 0, stat(path.string, &named) == 0, held.st_ino == named.st_ino {
                return FileLock(descriptor)
            }
            close(descriptor)
        }
    }

    /// A lock on a file or folder that is there, shared with others who use it too, or exclusive. Nil while somebody
    /// holds it in a way that excludes this one, and when it is gone.
    package static func attempt(existing path: FilePath, shared: Bool) -> FileLock? {
        let descriptor = open(path.string, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        let lock = FileLock(descriptor)
        guard flock(descriptor, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0 else { return nil }
        var held = stat()
        var named = stat()
        guard fstat(descriptor, &held) == 0, lstat(path.string, &named) == 0, held.st_ino == named.st_ino,
            held.st_dev == named.st_dev
        else { return nil }
        return lock
    }

    /// Waits for the lock on a folder itself, which leaves no file in it; shared with others who use it too, or
    /// exclusive. Nil where the filesystem locks no folders, as NFS. Throws if the folder cannot be opened.
    package static func wait(folder: FilePath, shared: Bool = false) async throws -> FileLock? {
        while true {
            let descriptor = open(folder.string, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard descriptor >= 0 else { throw FileFailure.error(Errno(rawValue: errno), "open", folder) }
            let lock = FileLock(descriptor)
            while flock(descriptor, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0 {
                guard errno == EWOULDBLOCK || errno == EINTR else { return nil }
                try await Task.sleep(for: .milliseconds(100))
            }
            // Who held it may have renamed the folder to remove it.
            var held = stat()
            var named = stat()
            if fstat(descriptor, &held) == 0, stat(folder.string, &named) == 0, held.st_ino == named.st_ino,
                held.st_dev == named.st_dev
            {
                return lock
            }
        }
    }

    /// Waits for the lock; the task can be cancelled meanwhile.
    package static func wait(_ path: FilePath, waiting: () -> Void) async throws -> FileLock {
        var told = false
        while true {
            if let lock = try attempt(path) { return lock }
            if !told { waiting() }
            told = true
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}
