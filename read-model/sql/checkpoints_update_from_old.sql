update checkpoints set position = ?3, fence = ?4 where partition = ?1 and position = ?2
