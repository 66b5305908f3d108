import ArgumentParser
import ClusterLayout
import ImageStore

struct ImageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image", abstract: "Build images and look after the store, which all profiles share.",
        subcommands: [
            ImageBuild.self, ImageList.self, ImageInspect.self, ImageRemove.self, ImageTag.self, ImagePull.self,
            ImagePush.self, ImageLoad.self, ImageSave.self,
        ])

    static var store: ImageStore { ImageStore(root: ClusterPaths.userImages, unpacking: .ownProgram) }
}
