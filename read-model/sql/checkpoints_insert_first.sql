insert into checkpoints (partition, position, fence) values (?1, 0, '') on conflict do nothing
