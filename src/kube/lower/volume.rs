//! The fields of volumes and claims. Sources of vendors are kept as present, without their fields:
//! nothing here runs them.

use super::fields;
use k8s_openapi::api::core::v1 as core;

fields! {
    core::AWSElasticBlockStoreVolumeSource {}
    core::AzureDiskVolumeSource {}
    core::AzureFileVolumeSource {}
    core::CSIVolumeSource {
        driver "driver", fs_type "fsType", node_publish_secret_ref "nodePublishSecretRef",
        read_only "readOnly", volume_attributes "volumeAttributes",
    }
    core::CephFSVolumeSource {}
    core::CinderVolumeSource {}
    core::ClusterTrustBundleProjection {
        label_selector "labelSelector", name "name", optional "optional", path "path",
        signer_name "signerName",
    }
    core::ConfigMapProjection {
        items "items", name "name", optional "optional",
    }
    core::ConfigMapVolumeSource {
        default_mode "defaultMode", items "items", name "name", optional "optional",
    }
    core::DownwardAPIProjection {
        items "items",
    }
    core::DownwardAPIVolumeFile {
        field_ref "fieldRef", mode "mode", path "path", resource_field_ref "resourceFieldRef",
    }
    core::DownwardAPIVolumeSource {
        default_mode "defaultMode", items "items",
    }
    core::EmptyDirVolumeSource {
        medium "medium", size_limit "sizeLimit",
    }
    core::EphemeralVolumeSource {
        volume_claim_template "volumeClaimTemplate",
    }
    core::FCVolumeSource {}
    core::FlexVolumeSource {}
    core::FlockerVolumeSource {}
    core::GCEPersistentDiskVolumeSource {}
    core::GitRepoVolumeSource {}
    core::GlusterfsVolumeSource {}
    core::HostPathVolumeSource {
        path "path", type_ "type",
    }
    core::ISCSIVolumeSource {}
    core::ImageVolumeSource {
        pull_policy "pullPolicy", reference "reference",
    }
    core::KeyToPath {
        key "key", mode "mode", path "path",
    }
    core::NFSVolumeSource {
        path "path", read_only "readOnly", server "server",
    }
    core::PersistentVolumeClaim {
        metadata "metadata", spec "spec",
    }
    core::PersistentVolumeClaimSpec {
        access_modes "accessModes", data_source "dataSource", data_source_ref "dataSourceRef",
        resources "resources", selector "selector", storage_class_name "storageClassName",
        volume_attributes_class_name "volumeAttributesClassName", volume_mode "volumeMode",
        volume_name "volumeName",
    }
    core::PersistentVolumeClaimTemplate {
        metadata "metadata", spec "spec",
    }
    core::PersistentVolumeClaimVolumeSource {
        claim_name "claimName", read_only "readOnly",
    }
    core::PhotonPersistentDiskVolumeSource {}
    core::PodCertificateProjection {
        certificate_chain_path "certificateChainPath",
        credential_bundle_path "credentialBundlePath", key_path "keyPath", key_type "keyType",
        max_expiration_seconds "maxExpirationSeconds", signer_name "signerName",
        user_annotations "userAnnotations",
    }
    core::PortworxVolumeSource {}
    core::ProjectedVolumeSource {
        default_mode "defaultMode", sources "sources",
    }
    core::QuobyteVolumeSource {}
    core::RBDVolumeSource {}
    core::ScaleIOVolumeSource {}
    core::SecretProjection {
        items "items", name "name", optional "optional",
    }
    core::SecretVolumeSource {
        default_mode "defaultMode", items "items", optional "optional", secret_name "secretName",
    }
    core::ServiceAccountTokenProjection {
        audience "audience", expiration_seconds "expirationSeconds", path "path",
    }
    core::StorageOSVolumeSource {}
    core::TypedLocalObjectReference {
        api_group "apiGroup", kind "kind", name "name",
    }
    core::TypedObjectReference {
        api_group "apiGroup", kind "kind", name "name", namespace "namespace",
    }
    core::Volume {
        aws_elastic_block_store "awsElasticBlockStore", azure_disk "azureDisk",
        azure_file "azureFile", cephfs "cephfs", cinder "cinder", config_map "configMap",
        csi "csi", downward_api "downwardAPI", empty_dir "emptyDir", ephemeral "ephemeral",
        fc "fc", flex_volume "flexVolume", flocker "flocker",
        gce_persistent_disk "gcePersistentDisk", git_repo "gitRepo", glusterfs "glusterfs",
        host_path "hostPath", image "image", iscsi "iscsi", name "name", nfs "nfs",
        persistent_volume_claim "persistentVolumeClaim",
        photon_persistent_disk "photonPersistentDisk", portworx_volume "portworxVolume",
        projected "projected", quobyte "quobyte", rbd "rbd", scale_io "scaleIO", secret "secret",
        storageos "storageos", vsphere_volume "vsphereVolume",
    }
    core::VolumeProjection {
        cluster_trust_bundle "clusterTrustBundle", config_map "configMap",
        downward_api "downwardAPI", pod_certificate "podCertificate", secret "secret",
        service_account_token "serviceAccountToken",
    }
    core::VolumeResourceRequirements {
        limits "limits", requests "requests",
    }
    core::VsphereVirtualDiskVolumeSource {}
}
