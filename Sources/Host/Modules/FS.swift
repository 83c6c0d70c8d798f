import LuaBridge

/// Files and folders.
func registerFS(_ lua: Lua) throws {
    try lua.module("fs", "fs\nFiles and folders.") { m in
        try m.add(fileDeclarations)
        try m.add(pathDeclarations)
    }
}

private var fileDeclarations: [Declaration] {
    [
        Declaration(
            """
            fs.list(path: string = ".") -> list
            Gives the names in a folder, sorted, without "." and "..".
            Errors: when the folder cannot be read
            Example:
              local fs = require "fs"
              fs.mkdir("list")
              fs.write("list/b.txt", "")
              fs.write("list/a.txt", "")
              fs.list("list") --> {a.txt, b.txt}
            See: fs.glob
            Source: Python's os.listdir
            """
        ) { call in try call.push(.list(Files.names(in: call.string(0)).map { .string($0) })) },
        Declaration(
            """
            fs.exists(path: string) -> bool
            Says whether there is a file or folder of this name.
            Example:
              print(fs.exists("/"), fs.exists("/no such thing")) --> true	false
            Source: Python's os.path.exists
            """
        ) { call in call.push(Files.exists(try call.string(0))) },
        Declaration(
            """
            fs.is_dir(path: string) -> bool
            Says whether this is a folder.
            Example:
              print(fs.is_dir("/")) --> true
            Source: Python's os.path.isdir
            """
        ) { call in call.push(Files.isFolder(try call.string(0))) },
        Declaration(
            """
            fs.mkdir(path: string)
            Makes a folder and those above it; nothing happens when it is there already.
            Errors: when a file is in the way, or the place is not writable
            Example:
              local fs = require "fs"
              fs.mkdir("a/b/c")
              fs.is_dir("a/b/c") --> true
            Source: Python's os.makedirs
            """
        ) { call in try Files.makeFolder(call.string(0)) },
        Declaration(
            """
            fs.read(path: string) -> string
            Gives the contents of a file, byte for byte.
            Errors: when it cannot be read
            Example:
              local fs = require "fs"
              fs.write("note.txt", "hello")
              fs.read("note.txt") --> hello
            See: fs.write
            Source: Python's pathlib.Path.read_bytes
            """
        ) { call in try call.push(bytes: Files.read(call.string(0))) },
        Declaration(
            """
            fs.write(path: string, text: string)
            Replaces the contents of a file: either all of the text arrives, or the old file stays whole.
            Errors: when it cannot be written
            Example:
              local fs = require "fs"
              fs.write("note.txt", "hello")
              #fs.read("note.txt") --> 5
            See: fs.read
            Source: Python's pathlib.Path.write_bytes
            """
        ) { call in
            let path = try call.string(0)
            try call.withBytes(1) { try Files.replace(path, with: $0) }
            RunRecord.current?.wrote(path)
        },
        Declaration(
            """
            fs.glob(pattern: string) -> list
            Gives the paths that match a pattern of the shell (*, ?, [a-z]), sorted; none is an empty list.
            Example:
              print(#fs.glob("/no such thing/*")) --> 0
            Source: POSIX glob
            """
        ) { call in try call.push(.list(Files.matches(call.string(0)).map { .string($0) })) },
        Declaration(
            """
            fs.copy(from: string, to: string)
            Copies a file; one that is there already is replaced once the copy is complete.
            Example:
              local fs = require "fs"
              fs.write("note.txt", "hello")
              fs.copy("note.txt", "copy.txt")
              fs.read("copy.txt") --> hello
            Source: Python's shutil.copyfile
            """
        ) { call in try Files.copy(call.string(0), to: call.string(1)) },
        Declaration(
            """
            fs.sha256(path: string) -> string
            Gives the SHA-256 of a file's contents in hexadecimal.
            Errors: when it cannot be read
            Example:
              require "fs".write("/tmp/empty", "")
              print(fs.sha256("/tmp/empty"):sub(1, 8)) --> e3b0c442
            Source: FIPS 180-4; Python's hashlib.sha256
            """
        ) { call in
            let path = try call.string(0)
            guard FileKind.at(path) == .file else { throw LuaError("\(path): \(Files.exists(path) ? "is no file" : "No such file or directory")") }
            try call.push(SHA256.hex(file: path))
        },
        Declaration(
            """
            fs.remove(path: string, recursive: bool = false)
            Removes a file or an empty folder; nothing happens when there is none.
            Args:
              recursive: removes a folder with all that is in it
            Example:
              local fs = require "fs"
              fs.write("note.txt", "hello")
              fs.remove("note.txt")
              fs.exists("note.txt") --> false
            Source: Python's os.remove, shutil.rmtree
            """
        ) { call in try Files.remove(call.string(0), recursive: call.bool(1)) },
    ]
}

private var pathDeclarations: [Declaration] {
    [
        Declaration(
            """
            fs.join(...: string) -> string
            Joins parts of a path; an absolute part starts anew.
            Example:
              print(fs.join("out", "run1/", "model.safetensors")) --> out/run1/model.safetensors
            Source: Python's os.path.join
            """
        ) { call in
            var path = ""
            for k in 0..<call.restTotal {
                guard let part = try call.rest(k).asString else {
                    throw LuaError("argument \(k + 1): expected string, got \(try call.rest(k).kindName)")
                }
                if part.hasPrefix("/") || path.isEmpty { path = part } else if !part.isEmpty {
                    path += (path.hasSuffix("/") ? "" : "/") + part
                }
            }
            try call.push(path)
        },
        Declaration(
            """
            fs.basename(path: string) -> string
            Gives the last part of a path.
            Example:
              print(fs.basename("data/mnist/labels.gz")) --> labels.gz
            See: fs.dirname
            Source: Python's os.path.basename
            """
        ) { call in try call.push(Files.split(call.string(0)).name) },
        Declaration(
            """
            fs.dirname(path: string) -> string
            Gives a path without its last part; "." when there is only one.
            Example:
              print(fs.dirname("data/mnist/labels.gz")) --> data/mnist
            See: fs.basename
            Source: Python's os.path.dirname
            """
        ) { call in try call.push(Files.split(call.string(0)).folder) },
    ]
}
